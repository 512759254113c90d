import {
  dollarTag,
  loadTemplate,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
} from '@cdc-migrations/sql-text';
import {
  columnEntry,
  headerFacts,
  isInPartitionKey,
  partitioningEntry,
  schemaLabel,
  sqlSchema,
  stagingType,
  type ChangeOf,
  type ReplicatedTable,
  type TableChange,
} from '@cdc-migrations/table-defs';
import { changesValue, convertValue } from './convert-value.ts';
import { describeChange } from './describe-change.ts';

/** Hints in the configuration for converting values in an unsafe change. */
export interface ManualHints {
  /** Expressions by column: the values in the new type. */
  readonly using: ReadonlyMap<string, string>;
  /** Statements by column to run before the column becomes NOT NULL. */
  readonly beforeNotNull: ReadonlyMap<string, string>;
}

interface ManualView {
  readonly label: string;
  readonly set: string;
  readonly changes: readonly string[];
  readonly isTenant: boolean;
  readonly tag: string;
  /** The staging table comes first, because a merge takes its locks in this order. */
  readonly relations: readonly RelationView[];
  readonly types: readonly TypeView[];
  readonly notNull: readonly NotNullView[];
  readonly key: KeyView | null;
  readonly partitions: PartitionsView | null;
}

/** Arguments of `cdc_management.repartition_table`. */
interface PartitionsView {
  readonly what: string;
  readonly schema: string;
  readonly name: string;
  readonly json: string;
}

interface RelationView {
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  /** Columns with earlier names for `cdc_management.rename_columns`, null if there are none. */
  readonly columns: string | null;
}

interface StepView {
  readonly what: string;
  readonly table: string;
  readonly name: string;
  readonly complaint: string;
}

interface TypeView extends StepView {
  readonly schema: string;
  readonly relation: string;
  /** Start of the message about views that use the column. */
  readonly forbidden: string;
  readonly type: string;
  /** The default of the old type is dropped. The file of the table sets the new one. */
  readonly hasDefault: boolean;
  /** Condition for rows that prevent the change. */
  readonly mismatch: string;
  readonly hint: string;
  /** Expression after USING. */
  readonly value: string;
  /** PostgreSQL cannot change the type of a column in a partition key, so `PartitionsView` rewrites the table. */
  readonly isPartitionKey: boolean;
}

interface NotNullView extends StepView {
  readonly statement: string;
}

interface KeyView {
  readonly what: string;
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  readonly columnArray: string;
  /** Null for a table without a key. */
  readonly columns: string | null;
  readonly newColumns: readonly { readonly name: string; readonly type: string }[];
  readonly constraint: string;
  readonly positionIndex: string;
  readonly nullComplaint: string;
  readonly twiceComplaint: string;
}

const render = loadTemplate<ManualView>(new URL('../../templates/manual.sql.hbs', import.meta.url));

/** Checks if a change needs a manual file: unsafe changes, and a NOT NULL with a statement in the configuration. */
function needsManual(change: TableChange, { beforeNotNull }: ManualHints): boolean {
  return change.class === 'unsafe' || isHintedNotNull(change, beforeNotNull);
}

/**
 * Renders a draft for `migrations/manual/` with the changes of one table that `needsManual`. The file checks for values
 * that would be lost, then changes the final table and the staging table. Renames among `changes` come first.
 */
export function renderManual(
  table: ReplicatedTable,
  changes: readonly TableChange[],
  hints: ManualHints,
): string {
  const own = changes.filter((change) => needsManual(change, hints));
  const view = {
    label: oneLine(`${schemaLabel(table)}.${table.name}`),
    set: oneLine(table.set),
    changes: manualChanges(table, changes, hints),
    isTenant: table.schema.scope === 'tenant',
    relations: buildRelations(table, changes),
    types: own.flatMap((change) =>
      change.kind === 'type changed' ? buildTypes(table, change, hints) : [],
    ),
    notNull: own.flatMap((change) =>
      change.kind === 'nullability changed' ? buildNotNull(table, change, hints) : [],
    ),
    key:
      own.flatMap((change) =>
        change.kind === 'key changed' ? buildKey(table, change, changes) : [],
      )[0] ?? null,
    partitions: buildPartitions(table, own, hints),
  };
  const tag = dollarTag(JSON.stringify(view), 'manual');
  return render({ ...view, tag });
}

/** Returns the lines that name the changes in a manual file. They identify an existing file. */
export function manualChanges(
  table: ReplicatedTable,
  changes: readonly TableChange[],
  hints: ManualHints,
): readonly string[] {
  const { target } = headerFacts(table);
  return changes
    .filter((change) => needsManual(change, hints))
    .map((change) => oneLine(`${target}: ${describeChange(change)}`));
}

function isHintedNotNull(
  change: TableChange,
  beforeNotNull: ManualHints['beforeNotNull'],
): boolean {
  return (
    change.kind === 'nullability changed' &&
    !change.after.nullable &&
    beforeNotNull.has(change.after.name)
  );
}

function schemaLiteral(table: ReplicatedTable): string {
  return quoteLiteral(sqlSchema(table));
}

function buildRelations(
  table: ReplicatedTable,
  changes: readonly TableChange[],
): readonly RelationView[] {
  const renamed = changes.flatMap((change) =>
    change.kind === 'column renamed' && 'formerly' in change.after ? change.after : [],
  );
  const columns = renamed.length > 0 ? `[${renamed.map(columnEntry).join(', ')}]` : null;
  return [table.names.staging, table.name].map((name) => ({
    schema: schemaLiteral(table),
    name,
    table: quoteQualified(sqlSchema(table), name),
    columns,
  }));
}

/** Builds the type change of the final table, and of the staging table if its change is unsafe too. */
function buildTypes(
  table: ReplicatedTable,
  { before, after }: ChangeOf<'type changed'>,
  { using }: ManualHints,
): readonly TypeView[] {
  const build = (relation: string, from: string, to: string): readonly TypeView[] => {
    if (from === to) return [];
    const column = quoteIdentifier(after.name);
    const qualified = quoteQualified(sqlSchema(table), relation);
    const hinted = using.get(after.name);
    const isFinal = relation === table.name;
    return [
      {
        isPartitionKey: isFinal && isInPartitionKey(table, after.name),
        what: oneLine(`${relation}, column "${after.name}": ${from} to ${to}`),
        schema: schemaLiteral(table),
        relation,
        forbidden: `${from} to ${to} is forbidden by `,
        table: qualified,
        name: after.name,
        type: to,
        hasDefault: isFinal && 'default' in before && before.default !== undefined,
        value: valueOf(column, { from, to, hinted }),
        mismatch:
          hinted === undefined
            ? changesValue(column, from, to)
            : `${column} IS NOT NULL AND (${hinted}) IS NULL`,
        complaint: ` rows of ${qualified} have a value in ${column} that ${to} cannot store`,
        hint: isFinal
          ? 'Change these rows first, or convert them in this file.'
          : `Merge them first: CALL ${quoteQualified(sqlSchema(table), table.names.mergeProcedure)}().`,
      },
    ];
  };
  return [
    ...build(table.names.staging, stagingType(before), stagingType(after)),
    ...build(table.name, before.type, after.type),
  ];
}

function buildNotNull(
  table: ReplicatedTable,
  { after }: ChangeOf<'nullability changed'>,
  { beforeNotNull }: ManualHints,
): readonly NotNullView[] {
  const qualified = quoteQualified(sqlSchema(table), table.name);
  return [
    {
      what: oneLine(`${table.name}, column "${after.name}": NOT NULL`),
      table: qualified,
      name: after.name,
      statement: beforeNotNull.get(after.name)!.trim().replace(/;$/, ''),
      complaint: ` rows of ${qualified} have no ${quoteIdentifier(after.name)}`,
    },
  ];
}

function buildKey(
  table: ReplicatedTable,
  change: ChangeOf<'key changed'>,
  changes: readonly TableChange[],
): readonly KeyView[] {
  const key = change.after?.columns ?? [];
  const columns = key.map(quoteIdentifier).join(', ');
  const qualified = quoteQualified(sqlSchema(table), table.name);
  return [
    {
      what: oneLine(describeChange(change)),
      schema: schemaLiteral(table),
      name: table.name,
      table: qualified,
      columnArray: change.after ? `ARRAY[${key.map(quoteLiteral).join(', ')}]` : 'NULL',
      columns: change.after && columns,
      newColumns: changes.flatMap((one) =>
        one.kind === 'column added' && key.includes(one.after.name) ? one.after : [],
      ),
      constraint: table.names.primaryKey,
      positionIndex: quoteQualified(sqlSchema(table), table.names.positionIndex),
      nullComplaint: ` rows of ${qualified} have NULL in the key (${columns})`,
      twiceComplaint: ` keys (${columns}) of ${qualified} are duplicates`,
    },
  ];
}

function valueOf(
  column: string,
  {
    from,
    to,
    hinted,
  }: { readonly from: string; readonly to: string; readonly hinted: string | undefined },
): string {
  return hinted === undefined ? convertValue(column, from, to) : `(${hinted})::${to}`;
}

/** Builds the rewrite of a table into other partitions, or with another type in the partition key. */
function buildPartitions(
  table: ReplicatedTable,
  changes: readonly TableChange[],
  { using }: ManualHints,
): PartitionsView | null {
  if (!table.partitionBy) return null;
  const own = changes.filter(
    (change) =>
      change.kind === 'partitions changed' ||
      (change.kind === 'type changed' && isInPartitionKey(table, change.after.name)),
  );
  if (own.length === 0) return null;
  const types = own.flatMap((change) => {
    if (change.kind !== 'type changed') return [];
    const { name, type } = change.after;
    const value = valueOf(quoteIdentifier(name), {
      ...{ from: change.before.type, to: type, hinted: using.get(name) },
    });
    return [[name, type, value] as const];
  });
  return {
    what: oneLine(own.map(describeChange).join(', ')),
    schema: schemaLiteral(table),
    name: table.name,
    json: partitioningEntry(table.partitionBy, types),
  };
}

/** Renders a text as one line for a comment. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
