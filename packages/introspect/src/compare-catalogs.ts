import type { Catalog, CatalogColumn, CatalogTable } from '@cdc-migrations/catalog';

/** A difference between the structures of two databases. */
export interface CatalogDifference {
  readonly schema: string;
  readonly table: string;
  readonly column?: string;
  readonly kind:
    'table missing' | 'column missing' | 'column added' | 'column differs' | 'key differs';
  /** Found and expected structure: `varchar(50), would be nvarchar(50)`. */
  readonly detail?: string;
}

/**
 * Compares the tables of one schema in two databases. It compares only what replication depends on, and ignores names
 * of keys, defaults, foreign keys and tracking. For SQL Server, it compares names without case.
 */
export function compareCatalogs(
  expected: Catalog,
  found: Catalog | undefined,
): readonly CatalogDifference[] {
  const fold = folding(expected);
  const tables = new Map(found?.tables.map((table) => [fold(table.name), table]));
  return expected.tables.flatMap((table): readonly CatalogDifference[] => {
    const other = tables.get(fold(table.name));
    const location = { schema: expected.schema, table: table.name };
    if (!other) return [{ ...location, kind: 'table missing' }];
    return compareTables(table, other, fold).map((difference) => ({ ...location, ...difference }));
  });
}

type TableDifference = Omit<CatalogDifference, 'schema' | 'table'>;
type Fold = (name: string) => string;

function folding({ type }: Catalog): Fold {
  return type === 'mssql' ? (name) => name.toLowerCase() : (name) => name;
}

function compareTables(
  expected: CatalogTable,
  found: CatalogTable,
  fold: Fold,
): readonly TableDifference[] {
  const columns = new Map(found.columns.map((column) => [fold(column.name), column]));
  const known = new Set(expected.columns.map(({ name }) => fold(name)));
  const ofColumns = expected.columns.flatMap((column): readonly TableDifference[] => {
    const other = columns.get(fold(column.name));
    if (!other) return [{ kind: 'column missing', column: column.name }];
    const [wanted, got] = [describeColumn(column), describeColumn(other)];
    const detail = `${got}, would be ${wanted}`;
    return wanted === got ? [] : [{ kind: 'column differs', column: column.name, detail }];
  });
  const added = found.columns
    .filter(({ name }) => !known.has(fold(name)))
    .map(({ name }): TableDifference => ({ kind: 'column added', column: name }));
  const [wanted, got] = [describeKey(expected, fold), describeKey(found, fold)];
  const detail = `${got}, would be ${wanted}`;
  const ofKey: readonly TableDifference[] = wanted === got ? [] : [{ kind: 'key differs', detail }];
  return [...ofColumns, ...added, ...ofKey];
}

/** Describes a column as `nvarchar(50) not null`, with everything that determines its values. */
function describeColumn(column: CatalogColumn): string {
  const { type, length, precision, scale, array, declaredAs, nullable, computed, collation } =
    column;
  const facets = [length, precision, scale].filter((facet) => facet !== undefined).join(',');
  return [
    type + (facets && `(${facets})`) + '[]'.repeat(array ?? 0),
    declaredAs !== undefined && `as ${declaredAs}`,
    !nullable && 'not null',
    computed !== undefined && 'computed',
    collation !== undefined && `collate ${collation}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function describeKey({ primaryKey, uniqueIndexes }: CatalogTable, fold: Fold): string {
  if (primaryKey) return `primary key (${primaryKey.columns.map(fold).join(', ')})`;
  const unique = uniqueIndexes
    .filter(({ filter }) => filter === undefined)
    .map(({ columns }) => `unique (${columns.map(fold).join(', ')})`);
  return unique.length > 0 ? unique.sort().join(' and ') : 'no key';
}
