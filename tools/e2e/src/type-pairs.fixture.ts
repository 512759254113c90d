import { buildValue, type Random } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import {
  type ChangeClass,
  canonicalType,
  type ColumnDefinition,
  diffTables,
  MSSQL_TYPES,
  PG_TYPES,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { columnOf, stageSql, tableOf } from './evolution.fixture.ts';

/** Facets for querying the map of source types. */
const FACETS = [
  {},
  { length: 4 },
  { length: 'max' as const },
  { precision: 12, scale: 3 },
  { precision: 24, scale: 6 },
  { precision: 53, scale: 0 },
];

/** Lists every PostgreSQL type of a SQL Server column, every PostgreSQL type, and some arrays. */
export function listTypes(): readonly string[] {
  const mapped = Object.entries(MSSQL_TYPES).flatMap(([type, map]) =>
    FACETS.map((facets) => map({ name: 'c', type, nullable: true, ...facets }).type),
  );
  const others = [...PG_TYPES, 'numeric(5,-2)', 'integer[]', 'text[]', 'varchar(4)[]'];
  const types = [...mapped, ...others].flatMap((type) => canonicalType(type) ?? []);
  return [...new Set(types)].sort();
}

/** A column that changes its type, and the class in `diffTables`. */
export interface TypePair {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly class: ChangeClass | 'same';
}

/** A table with columns of one type, and the same table with their new types. */
export interface PairTable {
  readonly pairs: readonly TypePair[];
  readonly before: ReplicatedTable;
  readonly after: ReplicatedTable;
}

/** Builds all pairs of types, grouped by the old type. */
export function buildPairs(types: readonly string[]): readonly (readonly TypePair[])[] {
  return types.map((from) =>
    types.map((to, column) => {
      const pair = { name: `c${column}`, from, to };
      return { ...pair, class: predictClass([pair]) };
    }),
  );
}

/**
 * Builds tables for the safe pairs. All free changes of a type share a table, which must not be rewritten. Each
 * rewriting pair has its own table.
 */
export function buildSafeTables(rows: readonly (readonly TypePair[])[]): readonly PairTable[] {
  return rows.flatMap((pairs, row) => [
    buildPairTable(
      `free_${row}`,
      pairs.filter(({ class: one }) => one === 'free' || one === 'same'),
    ),
    ...pairs
      .filter(({ class: one }) => one === 'rewrite')
      .map((pair) => buildPairTable(`rewrite_${row}_${pair.name}`, [pair])),
  ]);
}

/** Builds tables for the unsafe pairs. Of types that differ only in facets, the first is used. */
export function buildUnsafeTables(rows: readonly (readonly TypePair[])[]): readonly PairTable[] {
  const types = rows.map(([first]) => first!.from);
  const nameOf = (type: string) => type.replace(/\(.*\)/, '');
  const chosen = types.filter(
    (type, index) => types.findIndex((one) => nameOf(one) === nameOf(type)) === index,
  );
  return rows.flatMap((pairs, row) => {
    const unsafe = pairs.filter((pair) => pair.class === 'unsafe' && chosen.includes(pair.to));
    const isChosen = chosen.includes(types[row]!) && unsafe.length > 0;
    return isChosen ? [buildPairTable(`unsafe_${row}`, unsafe)] : [];
  });
}

type Change = Pick<TypePair, 'name' | 'from' | 'to'>;

function buildPairTable(name: string, pairs: readonly TypePair[]): PairTable {
  return { pairs, ...buildSides(name, pairs) };
}

function buildSides(
  name: string,
  pairs: readonly Change[],
): { readonly before: ReplicatedTable; readonly after: ReplicatedTable } {
  const id = columnOf('id', 'integer', { nullable: false });
  const side = (end: 'from' | 'to') =>
    tableOf(name, [id, ...pairs.map((pair) => templateColumn(pair.name, pair[end]))]);
  return { before: side('from'), after: side('to') };
}

/** Builds a column whose values are in every event. Tables with many omitted values merge slowly. */
function templateColumn(name: string, type: string): ColumnDefinition {
  return { name, role: 'template', type, nullable: true };
}

function predictClass(pairs: readonly Change[]): TypePair['class'] {
  const { before, after } = buildSides('t', pairs);
  return diffTables([before], [after]).find(({ kind }) => kind === 'type changed')?.class ?? 'same';
}

/**
 * Renders an INSERT of one event per column, with a value in this column alone. The first event has the id and offset
 * `first`.
 */
export function stagePairs(
  schema: string,
  { before, pairs }: PairTable,
  { first, random }: { readonly first: number; readonly random: Random },
): string {
  return pairs
    .map(({ name, from }, index) => {
      const id = first + index;
      const value = buildValue(from.replace('bpchar', 'text'), random);
      return stageSql(schema, before, id, { id: String(id), [name]: value });
    })
    .join('');
}

/**
 * Renders a query for all values outside the key as text: `id`, `name`, `value`. They are cast to their earlier type
 * first.
 */
export function valuesQuery(schema: string, { before, pairs }: PairTable): string {
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(before.name)}`;
  const values = pairs.map(
    ({ name, from }) =>
      `SELECT ${quoteLiteral(before.name)} AS table_name, id, ${quoteLiteral(name)} AS name, ${name}::${from}::text AS value
       FROM ${table} WHERE ${name} IS NOT NULL`,
  );
  return values.join('\nUNION ALL\n');
}
