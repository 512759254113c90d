import type { Catalog, CatalogColumn, CatalogTable } from '@cdc-migrations/catalog';
import type {
  Location,
  ServiceConfig,
  SinkGroup,
  SinkTable,
  SourceTable,
} from '@cdc-migrations/config';
import { quoteIdentifier, shortName } from '@cdc-migrations/sql-text';
import { formSql, storedValue } from '@cdc-migrations/staging-render';
import {
  findOverride,
  formatSourceType,
  parsePgType,
  schemaLabel,
  stagingType,
  TYPE_NOTES,
  type ColumnDefinition,
  type ColumnRole,
  type Exactness,
  type IndexDefinition,
  type PartitioningDefinition,
  type MappedColumn,
  type ReplicatedTable,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { locateProblemsIn } from '../repo/locate-error.ts';

/** A table with the path of each column: an item of `explain --json`. */
export interface ExplainedTable {
  readonly set: string;
  readonly service: string;
  readonly schema: string;
  readonly table: string;
  readonly source: TableDefinition['source'];
  /** Null for an existing table, which pipelines write directly. */
  readonly merge: ExplainedMerge | null;
  /** Indexes from the configuration. */
  readonly indexes: readonly IndexDefinition[];
  /** Undefined if the configuration declares none. */
  readonly partitionBy?: PartitioningDefinition;
  readonly because: readonly Reason[];
  readonly columns: readonly ExplainedColumn[];
  /** Source columns that are not in the final table. */
  readonly leftOut: readonly {
    readonly name: string;
    readonly type: string;
    readonly why: string;
  }[];
}

export interface ExplainedMerge {
  readonly staging: string;
  readonly isLogged: boolean;
  readonly procedure: string;
  readonly key: readonly string[];
  readonly keyOrigin: string | null;
  readonly deletes: 'hard' | 'soft';
  readonly positions: 'offset' | 'lsn';
}

export interface ExplainedColumn {
  /** Name in the final table. */
  readonly name: string;
  readonly role: ColumnRole;
  readonly isKey: boolean;
  /** Null for a column that the source does not have. */
  readonly source: { readonly column: string; readonly type: string } | null;
  /** Format of the values in an event, for example `days since 1970`. Null if PostgreSQL reads them as they are. */
  readonly event: string | null;
  /** Type of the staging column. Null if there is none. */
  readonly stagingType: string | null;
  /** Value that the merge stores, as SQL on the event. */
  readonly stored: string | null;
  /** Values that send an event to the dead letters. */
  readonly refused: readonly string[];
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | null;
  /** Earlier names, newest first. */
  readonly formerly: readonly string[];
  readonly exactness: Exactness | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly advice: string | null;
  readonly because: readonly Reason[];
}

/** A line of the configuration that causes something. */
export interface Reason {
  readonly file: string;
  readonly line: number | null;
  readonly says: string;
}

interface Repo {
  readonly root: string;
  readonly config: ServiceConfig;
  readonly snapshots: readonly Catalog[];
}

/** Parts of the configuration and the catalog that belong to a table. */
interface TableFacts {
  readonly sink: SinkTable;
  readonly selection: SourceTable;
  readonly source: CatalogTable;
  readonly config: ServiceConfig;
  readonly group: SinkGroup | undefined;
  readonly because: (at: Location, keys: Location['keys'], says: string) => Reason;
}

/** Explains the path of a table and of its columns, with the configuration lines that cause it. */
export function explainTable(table: TableDefinition, repo: Repo): ExplainedTable {
  const facts = findFacts(table, repo);
  const { sink, selection, because } = facts;
  const { set, service, name } = table;
  const explained = table.columns.map((column) => explainColumn(column, table, facts));
  return {
    ...{ set, service, schema: schemaLabel(table), table: name, source: table.source },
    merge: table.kind === 'existing' ? null : explainMerge(table),
    indexes: table.kind === 'existing' ? [] : (table.indexes ?? []),
    ...(table.kind === 'replicated' && table.partitionBy && { partitionBy: table.partitionBy }),
    because: [
      because(selection.at, [], 'source table'),
      because(sink.at, [], table.kind === 'existing' ? 'table that exists' : 'table of the sink'),
      ...keyReasons(table, facts),
    ],
    columns: explained,
    leftOut: listLeftOut(table, facts),
  };
}

function explainMerge({ names, staging, key, deleteMode, positions }: ReplicatedTable) {
  return {
    ...{ staging: names.staging, isLogged: staging === 'logged', procedure: names.mergeProcedure },
    ...{ key: key?.columns ?? [], keyOrigin: key?.origin ?? null },
    ...{ deletes: deleteMode, positions: positions ?? ('offset' as const) },
  };
}

function findFacts(table: TableDefinition, { root, config, snapshots }: Repo): TableFacts {
  const { source, set } = table;
  const service = config.services.find(({ name }) => name === table.service)!;
  const sink = service.sinks
    .find((each) => each.sink === set)!
    .tables.find(
      (each) => shortName(each.table) === table.name && each.schema === schemaLabel(table),
    )!;
  const { schema, table: from } = sink.from;
  const selection = service.tables.find((each) => each.schema === schema && each.table === from)!;
  const catalog = snapshots.find(
    (each) => each.database === source.database && each.schema === source.schema,
  )!;
  return {
    ...{ sink, selection, config },
    source: catalog.tables.find(({ name }) => name === source.table)!,
    group: config.sinkGroups.find(({ name }) => set.startsWith(`${name}.`)),
    because: (at, keys, says) => {
      const location = { file: at.file, keys: [...at.keys, ...keys] };
      const [located] = locateProblemsIn(root, [{ at: location, message: says }]);
      return { file: at.file, line: located?.line ?? null, says };
    },
  };
}

function keyReasons(table: TableDefinition, { selection, because }: TableFacts): readonly Reason[] {
  const origin = table.kind === 'replicated' ? table.key?.origin : undefined;
  return origin === 'key_columns' ? [because(selection.at, ['key_columns'], 'its key')] : [];
}

function listLeftOut(table: TableDefinition, { source, selection }: TableFacts) {
  const used = new Set(table.columns.map((column) => column.source?.name));
  return source.columns
    .filter(({ name }) => !used.has(name))
    .map((column) => ({
      name: column.name,
      type: formatSourceType(column),
      why: whyLeftOut(column, selection),
    }));
}

function whyLeftOut({ name, computed }: CatalogColumn, selection: SourceTable): string {
  if (computed !== undefined) return 'computed, so CDC does not replicate it';
  if (selection.ignoreColumns.includes(name)) return 'in ignore_columns';
  return selection.includeColumns ? 'not in include_columns' : 'not in columns';
}

function explainColumn(
  column: ColumnDefinition | MappedColumn,
  table: TableDefinition,
  facts: TableFacts,
): ExplainedColumn {
  const { name, role, type, nullable, exactness, code, reason } = column;
  const staged = table.kind === 'replicated' ? (column as ColumnDefinition) : undefined;
  const isStaged = staged !== undefined && name !== '__deleted_at';
  const form = staged && formSql('value', staged);
  const key = table.kind === 'replicated' ? (table.key?.columns ?? []) : [];
  return {
    ...{ name, role, isKey: key.includes(name) },
    source: column.source ? { column: column.source.name, type: column.source.type } : null,
    event: form?.expected ?? null,
    stagingType: isStaged ? stagingType(staged) : null,
    stored: isStaged ? storedSql(staged) : null,
    refused: staged ? refusedValues(staged, form?.expected) : [],
    ...{ type, nullable, default: staged?.default ?? null, formerly: staged?.formerly ?? [] },
    ...{ exactness: exactness ?? null, code: code ?? null, reason: reason ?? null },
    advice: code ? TYPE_NOTES[code].advice : null,
    because: columnReasons(column, facts),
  };
}

/** Returns the value that the merge stores. A column with a constant keeps the stored value, else it gets the constant. */
function storedSql(column: ColumnDefinition): string {
  const name = quoteIdentifier(column.name);
  const value = storedValue(`event.${name}`, column);
  const { backfill } = column;
  return backfill === undefined ? value : `coalesce(${value}, stored.${name}, ${backfill})`;
}

const RANGES: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint', 'real']);

/** Lists values that the final column cannot have, in the form in which the merge sees them. */
function refusedValues(
  { role, type, nullable, default: initial, backfill }: ColumnDefinition,
  expected: string | undefined,
): readonly string[] {
  if (role === 'metadata') return [];
  const parsed = parsePgType(type);
  const [size, scale = 0] = parsed?.facets ?? [];
  const isText = /^(character|bpchar|bit)/.test(parsed?.base ?? '');
  return [
    ...(nullable || initial !== undefined || backfill !== undefined ? [] : ['NULL']),
    ...(expected === undefined ? [] : [`anything but ${expected}`]),
    ...(isText && size !== undefined
      ? [`more than ${size} ${parsed!.base.startsWith('bit') ? 'bits' : 'characters'}`]
      : []),
    ...(parsed?.base === 'numeric' && size !== undefined
      ? [`more than ${size - scale} digits before the point`]
      : []),
    ...(RANGES.has(parsed?.base ?? '') ? [`a number out of the range of ${parsed!.base}`] : []),
  ];
}

function columnReasons(
  column: ColumnDefinition | MappedColumn,
  facts: TableFacts,
): readonly Reason[] {
  const { sink, because } = facts;
  const { name } = column;
  if (column.role === 'template') return templateReasons(name, facts);
  if (column.role === 'transform') {
    return sink.transforms
      .filter(({ expectedOutputColumn }) => shortName(expectedOutputColumn ?? '') === name)
      .map(({ at, bloblangRef }) => because(at, [], `output of ${bloblangRef}`));
  }
  const origin = column.source && facts.source.columns.find((each) => isColumn(each, column));
  const formerly = 'formerly' in column ? (column.formerly ?? []) : [];
  return [
    ...(origin ? overrideReasons(origin, facts) : []),
    ...backfillReasons(column, facts),
    ...formerly
      .filter((before) => sink.renames.has(before))
      .map((before) => because(sink.at, ['renames', before], `was ${before} before`)),
    ...('form' in column && column.form ? formReasons(facts) : []),
  ];
}

function backfillReasons(
  column: ColumnDefinition | MappedColumn,
  { sink, because }: TableFacts,
): readonly Reason[] {
  if (!('backfill' in column) || column.backfill === undefined) return [];
  const at = sink.backfillFromDefault.findIndex((name) => shortName(name) === column.name);
  const says = `${column.backfill} where neither the event nor the row has a value`;
  return [because(sink.at, ['backfill_from_default', at], says)];
}

function isColumn({ name }: CatalogColumn, { source }: ColumnDefinition | MappedColumn): boolean {
  return name === source?.name;
}

function overrideReasons(origin: CatalogColumn, facts: TableFacts): readonly Reason[] {
  const { config, group, selection, because } = facts;
  const overrides = group && config.typeOverrides.get(group.sourceGroup);
  const table = `${selection.schema}.${selection.table}`;
  const override = findOverride(origin, { overrides, table });
  return override && overrides
    ? [because(overrides.at, override.keys, `its type: ${override.type}`)]
    : [];
}

function templateReasons(name: string, { sink, config, because }: TableFacts): readonly Reason[] {
  return sink.columnTemplates.flatMap((use) => {
    const template = config.templates.get(use.template);
    if (!template || shortName(use.name ?? template.name) !== name) return [];
    const value = use.value ?? template.value;
    return [
      because(use.at, [], `template ${use.template}`),
      because(
        template.at,
        [],
        value === undefined ? 'the template; pipelines give its value' : `its value: ${value}`,
      ),
    ];
  });
}

/** Returns the lines that set the format of events, from the table or from its sink group. */
function formReasons({ sink, group, because }: TableFacts): readonly Reason[] {
  const says = 'form of its values';
  if (sink.pipeline) return [because(sink.at, ['pipeline'], says)];
  return group?.pipeline ? [because(group.at, ['pipeline'], says)] : [];
}
