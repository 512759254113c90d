import type { ColumnDefinition, TableDefinition } from '../table-definition.ts';
import { stagingType } from '../staging-columns.ts';
import { isConstant } from '../types/is-constant.ts';
import { classifyTypeChange } from '../types/type-change.ts';
import type { ColumnPair } from './pair-columns.ts';
import { worstClass, type AnyColumn, type ChangeClass, type TableChange } from './table-change.ts';

/** Compares the columns of a table. All changes of an existing table are informational, because we do not change it. */
export function diffColumns(
  before: TableDefinition,
  after: TableDefinition,
  pairs: readonly ColumnPair[],
): readonly TableChange[] {
  const key = before.kind === 'replicated' ? (before.key?.columns ?? []) : [];
  const changes = pairs.flatMap((pair) => {
    if (!pair.before) return [addedColumn(after, pair.after!)];
    if (!pair.after) return [removedColumn(after, pair.before, key)];
    const isPartitionKey =
      isInPartitionKey(before, pair.before.name) || isInPartitionKey(after, pair.after.name);
    return changedColumn(after, pair.before, pair.after).map((change): TableChange =>
      // PostgreSQL cannot change the type of a column in a partition key.
      change.kind === 'type changed' && isPartitionKey ? { ...change, class: 'unsafe' } : change,
    );
  });
  return after.kind === 'replicated'
    ? changes
    : changes.map((change) => ({ ...change, class: 'informational' }));
}

/** Checks if the rows of a table are partitioned by a column. */
export function isInPartitionKey(table: TableDefinition, column: string): boolean {
  return table.kind === 'replicated' && (table.partitionBy?.columns.includes(column) ?? false);
}

function addedColumn(table: TableDefinition, after: AnyColumn): TableChange {
  const expression = defaultOf(after);
  const rewrites = expression !== undefined && !isConstant(expression);
  const kind = 'column added';
  return { kind, class: rewrites ? 'rewrite' : 'free', table, before: null, after };
}

/**
 * Builds the change for a removed column. The column stays in the target and becomes nullable, because nothing writes
 * it any more.
 */
function removedColumn(
  table: TableDefinition,
  before: AnyColumn,
  key: readonly string[],
): TableChange {
  const isLeftAlone =
    before.nullable || defaultOf(before) !== undefined || key.includes(before.name);
  const kind = 'column removed';
  return { kind, class: isLeftAlone ? 'informational' : 'free', table, before, after: null };
}

function changedColumn(
  table: TableDefinition,
  before: AnyColumn,
  after: AnyColumn,
): readonly TableChange[] {
  const both = { table, before, after };
  const changes: TableChange[] = [];
  if (before.name !== after.name) changes.push({ kind: 'column renamed', class: 'free', ...both });
  if (before.type !== after.type) {
    changes.push({ kind: 'type changed', class: classOfType(before, after), ...both });
  }
  if (before.nullable !== after.nullable) {
    const change = after.nullable ? 'free' : 'informational';
    changes.push({ kind: 'nullability changed', class: change, ...both });
  }
  if (defaultOf(before) !== defaultOf(after)) {
    changes.push({ kind: 'default changed', class: 'free', ...both });
  }
  const facts = otherFacts(before, after);
  if (facts.length > 0) {
    changes.push({ kind: 'column redefined', class: 'informational', ...both, facts });
  }
  return changes;
}

/** Returns the worse class of the changes to the final table and to the staging table. */
function classOfType(before: AnyColumn, after: AnyColumn): ChangeClass {
  const final = classifyTypeChange(before.type, after.type);
  const [staged, staging] = [stagingType(before), stagingType(after)];
  const inStaging = classifyTypeChange(staged, staging);
  // Every staged value can be converted to text.
  const change = inStaging === 'unsafe' && staging === 'text' ? 'rewrite' : inStaging;
  return worstClass([final, change].flatMap((each) => (each === 'same' ? [] : each)));
}

function defaultOf(column: AnyColumn): string | undefined {
  return 'default' in column ? column.default : undefined;
}

/**
 * Names of properties in messages. A property is null if it has changes of its own, or if a reader does not need to see
 * it.
 */
export type FactNames<Of> = { readonly [Fact in keyof Required<Of>]: string | null };

/** Properties of a column that change nothing in the target. */
const FACTS: FactNames<ColumnDefinition> = {
  name: null,
  type: null,
  nullable: null,
  default: null,
  code: null,
  role: 'role',
  source: 'source',
  form: 'form',
  exactness: 'exactness',
  reason: 'reason',
  formerly: 'earlier names',
  backfill: 'backfill_from_default',
};

/** Lists changed properties. A changed source type is listed if the type of the column does not show it. */
function otherFacts(before: AnyColumn, after: AnyColumn): readonly string[] {
  const isReported = before.type !== after.type || before.name !== after.name;
  return changedFacts(FACTS, before, after).filter((name) => !isReported || name === 'role');
}

/** Returns the names of the properties that differ. */
export function changedFacts(
  names: Readonly<Record<string, string | null>>,
  before: object,
  after: object,
): readonly string[] {
  const valueOf = (one: object, fact: string) =>
    JSON.stringify((one as Readonly<Record<string, unknown>>)[fact]);
  return Object.entries(names).flatMap(([fact, name]) =>
    name === null || valueOf(before, fact) === valueOf(after, fact) ? [] : [name],
  );
}
