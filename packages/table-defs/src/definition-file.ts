import { buildGeneratedFile, type GeneratedFile } from '@cdc-migrations/generated-file';
import { groupBy } from '@cdc-migrations/sql-text';
import {
  flag,
  foundWord,
  listOf,
  oneOf,
  parseGenerated,
  renderGenerated,
  text,
  type Draft,
  type EntriesOf,
  type GeneratedKind,
  type Report,
} from '@cdc-migrations/shape';
import * as v from 'valibot';
import { isEventForm, type EventForm } from './event-forms.ts';
import { fileStems } from './file-stems.ts';
import { headerFacts } from './header-facts.ts';
import type {
  ColumnDefinition,
  ExistingTable,
  IndexDefinition,
  PartitionDefinition,
  PartitioningDefinition,
  KeyDefinition,
  MappedColumn,
  MigrationSet,
  ObjectNames,
  ReplicatedTable,
  SourceName,
  TableDefinition,
  TableIdentity,
} from './table-definition.ts';
import { canonicalType } from './types/canonical-type.ts';
import { TYPE_NOTES, type TypeNoteCode } from './types/type-notes.ts';

/** Folder of the definitions, relative to the implementation repo. */
export const DEFINITIONS_FOLDER = 'generated/table-definitions';

/** File of the migration sets, relative to the implementation repo. */
export const SETS_FILE = 'generated/migration-sets.yaml';

/** Command that regenerates all files of this package. */
export const COMMAND = 'cdc manage-migrations generate';

/** A generated file and its table. */
export interface TableFile extends GeneratedFile {
  readonly table: TableDefinition;
}

/** Renders the files of all definitions: one folder for one service, a folder per service for several. */
export function renderDefinitions(tables: readonly TableDefinition[]): readonly TableFile[] {
  const byService = groupBy(tables, ({ service }) => service);
  return [...byService].flatMap(([service, ofService]) => {
    const folder = byService.size === 1 ? DEFINITIONS_FOLDER : `${DEFINITIONS_FOLDER}/${service}`;
    const stems = fileStems(ofService);
    return ofService.map((table) => {
      const path = `${folder}/${stems.get(table)}.yaml`;
      const body = renderGenerated(DEFINITION, table);
      return { ...buildGeneratedFile(path, headerFacts(table), body), table };
    });
  });
}

/**
 * Parses a file that `renderDefinitions` rendered. The checksum is ignored.
 *
 * @param path path of the file, for errors.
 * @throws FileError with every problem.
 */
export function parseDefinition(text: string, path: string): TableDefinition {
  return parseGenerated(DEFINITION, text, path);
}

/** Renders the file of the migration sets. */
export function renderSets(sets: readonly MigrationSet[]): GeneratedFile {
  return buildGeneratedFile(SETS_FILE, {}, renderGenerated(SETS, { sets }));
}

/**
 * Parses the file that `renderSets` rendered. The checksum is ignored.
 *
 * @throws FileError with every problem.
 */
export function parseSets(text: string, path: string = SETS_FILE): readonly MigrationSet[] {
  return parseGenerated(SETS, text, path).sets;
}

const columnName = text('the name of a column');

const IDENTITY = {
  set: text('the name of a migration set'),
  service: text('the name of a service'),
  source: v.strictObject({
    database: text('the name of a database'),
    schema: text('the name of a schema'),
    table: text('the name of a table'),
  } satisfies EntriesOf<SourceName>),
  schema: v.variant(
    'scope',
    [
      v.strictObject({ scope: v.literal('tenant') }),
      v.strictObject({ scope: v.literal('literal'), name: text('the name of a schema') }),
    ],
    'expected tenant or literal',
  ),
  name: text('the name of a table'),
} satisfies EntriesOf<TableIdentity>;

const TYPE = {
  type: v.pipe(
    text('a PostgreSQL type'),
    v.check(
      (type) => canonicalType(type) === type,
      ({ input }) => `expected a PostgreSQL type as format_type writes it, found "${input}"`,
    ),
  ),
  nullable: flag(),
};

/** Entries for the source of a column. */
const ORIGIN = {
  source: v.exactOptional(v.strictObject({ name: columnName, type: text('a type of the source') })),
  exactness: v.exactOptional(oneOf(['exact', 'widened', 'lossy', 'unsupported'])),
  code: v.exactOptional(oneOf(Object.keys(TYPE_NOTES) as TypeNoteCode[])),
  reason: v.exactOptional(text('a sentence')),
};

const columnSchema = v.strictObject({
  name: columnName,
  role: oneOf(['source', 'template', 'transform', 'metadata']),
  ...TYPE,
  default: v.exactOptional(text('an SQL expression')),
  backfill: v.exactOptional(text('an SQL constant')),
  formerly: v.exactOptional(listOf('the name of a column')),
  form: v.exactOptional(
    v.custom<EventForm>(
      isEventForm,
      ({ input }) => `expected a form of values, such as iso, found ${foundWord(input)}`,
    ),
  ),
  ...ORIGIN,
} satisfies EntriesOf<ColumnDefinition>);

const replicatedSchema = v.strictObject({
  kind: v.literal('replicated'),
  ...IDENTITY,
  names: v.strictObject({
    staging: text('the name of a table'),
    trigger: text('the name of a trigger'),
    mergeProcedure: text('the name of a procedure'),
    mergeWindow: text('the name of a function'),
    primaryKey: text('the name of an index'),
    syncIndex: text('the name of an index'),
    positionIndex: text('the name of an index'),
  } satisfies EntriesOf<ObjectNames>),
  key: v.nullable(
    v.strictObject({
      columns: listOf('the name of a column'),
      origin: oneOf(['primary key', 'key_columns', 'unique index']),
    } satisfies EntriesOf<KeyDefinition>),
  ),
  deleteMode: oneOf(['hard', 'soft']),
  indexes: v.exactOptional(
    v.array(
      v.strictObject({
        name: text('the name of an index'),
        columns: listOf('the name of a column'),
        unique: v.exactOptional(v.literal(true, 'expected true')),
        where: v.exactOptional(text('an SQL condition')),
        method: v.exactOptional(oneOf(['hash', 'gin', 'gist', 'spgist', 'brin'])),
      } satisfies EntriesOf<IndexDefinition>),
      'expected a list of indexes',
    ),
  ),
  partitionBy: v.exactOptional(
    v.strictObject({
      method: oneOf(['range', 'list', 'hash']),
      columns: listOf('the name of a column'),
      partitions: v.array(
        v.strictObject({
          name: text('the name of a partition'),
          bounds: text('the bounds of a partition'),
        } satisfies EntriesOf<PartitionDefinition>),
        'expected a list of partitions',
      ),
    } satisfies EntriesOf<PartitioningDefinition>),
  ),
  staging: oneOf(['unlogged', 'logged']),
  unavailable: v.exactOptional(text('a placeholder')),
  truncate: v.exactOptional(oneOf(['empty'])),
  positions: v.exactOptional(oneOf(['lsn'])),
  transforms: listOf('the address of a Bloblang file'),
  columns: v.array(columnSchema, 'expected a list of columns'),
} satisfies EntriesOf<ReplicatedTable>);

const existingSchema = v.strictObject({
  kind: v.literal('existing'),
  ...IDENTITY,
  columns: v.array(
    v.strictObject({
      name: columnName,
      role: oneOf(['source', 'template', 'transform']),
      ...TYPE,
      ...ORIGIN,
    } satisfies EntriesOf<MappedColumn>),
    'expected a list of columns',
  ),
} satisfies EntriesOf<ExistingTable>);

const definitionSchema = v.variant(
  'kind',
  [replicatedSchema, existingSchema],
  'expected replicated or existing',
);

const DEFINITION: GeneratedKind<TableDefinition> = {
  what: 'a table definition',
  schema: definitionSchema,
  command: COMMAND,
  check: checkColumns,
};

const setsSchema = v.strictObject({
  sets: v.array(
    v.strictObject({
      name: text('the name of a migration set'),
      folder: text('a folder of the repo'),
      sourceGroup: text('the name of a source group'),
      pattern: oneOf(['db-per-tenant', 'db-shared']),
      services: listOf('the name of a service'),
      literalSchemas: listOf('the name of a schema'),
    } satisfies EntriesOf<MigrationSet>),
    'expected a list of migration sets',
  ),
});

const SETS: GeneratedKind<{ readonly sets: readonly MigrationSet[] }> = {
  what: 'a file of migration sets',
  schema: setsSchema,
  command: COMMAND,
};

/** Reports duplicate columns, and key columns that do not exist. */
function checkColumns(table: Draft<TableDefinition>, report: Report): void {
  if (!table.columns) return;
  const names = new Set<string | undefined>();
  table.columns.forEach((column, index) => {
    if (column?.name !== undefined && names.has(column.name)) {
      report(['columns', index], 'expected each column once, found a duplicate');
    }
    names.add(column?.name);
  });
  const key = 'key' in table ? table.key?.columns : undefined;
  if (key?.length === 0) report(['key', 'columns'], 'expected a column, found an empty list');
  for (const name of key ?? []) {
    if (names.has(undefined) || names.has(name)) continue;
    report(['key', 'columns'], `expected a column of the table, found "${name}"`);
  }
}
