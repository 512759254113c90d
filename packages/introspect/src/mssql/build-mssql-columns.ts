import type { CatalogColumn } from '@cdc-migrations/catalog';
import { groupBy } from '@cdc-migrations/sql-text';
import type { MssqlCatalogRows, MssqlRow } from './parse-mssql-catalog-rows.ts';

type ColumnRow = MssqlRow<'columns'>;
type Facets = Pick<CatalogColumn, 'length' | 'precision' | 'scale'>;
type Declaration = Pick<CatalogColumn, 'type' | 'declaredAs' | 'declaredKind'>;

/** Replaces an expression or a filter that the server shows only to logins with VIEW DEFINITION. */
export const NOT_VISIBLE = '(not visible)';

/**
 * Builds the columns of tables by `object_id`, in order of `column_id`. Omits a collation equal to `databaseCollation`.
 */
export function buildMssqlColumns(
  rows: MssqlCatalogRows,
  databaseCollation: string | undefined,
): (objectId: number) => readonly CatalogColumn[] {
  const columnsOf = groupBy(rows.columns, ({ object_id }) => object_id);
  const declarationOf = buildDeclarations(rows);
  const computed = new Map(
    rows.computed_columns.map((row) => [columnKey(row), row.definition ?? NOT_VISIBLE]),
  );
  const identities = new Set(rows.identity_columns.map(columnKey));
  const defaults = new Map(
    rows.default_constraints.map((row) => [
      columnKey({ object_id: row.parent_object_id, column_id: row.parent_column_id }),
      row.definition,
    ]),
  );

  const build = (row: ColumnRow): CatalogColumn => {
    const declaration = declarationOf(row);
    const expression = computed.get(columnKey(row)) ?? computedWithoutRow(row);
    const defaultExpression = defaults.get(columnKey(row));
    return {
      name: row.name,
      ...declaration,
      ...FACETS.get(declaration.type)?.(row),
      nullable: row.is_nullable,
      ...((row.is_identity || identities.has(columnKey(row))) && { identity: true }),
      ...(expression !== undefined && { computed: expression }),
      ...(defaultExpression && { default: defaultExpression }),
      ...(row.collation_name &&
        row.collation_name !== databaseCollation && { collation: row.collation_name }),
    };
  };
  return (objectId) =>
    rowsInOrder(columnsOf.get(objectId), ({ column_id }) => column_id).map(build);
}

/**
 * Facets by base type. `max_length` is in bytes, with 2 bytes per character of nchar and nvarchar, and -1 for max. A
 * type that is missing here has no facets.
 * https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-columns-transact-sql
 */
const FACETS: ReadonlyMap<string, (row: ColumnRow) => Facets> = new Map([
  ['char', lengthBytes],
  ['varchar', lengthBytes],
  ['nchar', lengthCharacters],
  ['nvarchar', lengthCharacters],
  ['binary', lengthBytes],
  ['varbinary', lengthBytes],
  ['decimal', precisionAndScale],
  ['numeric', precisionAndScale],
  ['float', ({ precision }) => ({ precision })],
  ['time', ({ scale }) => ({ scale })],
  ['datetime2', ({ scale }) => ({ scale })],
  ['datetimeoffset', ({ scale }) => ({ scale })],
]);

function lengthBytes({ max_length }: ColumnRow): Facets {
  return { length: max_length === -1 ? 'max' : max_length };
}

function lengthCharacters({ max_length }: ColumnRow): Facets {
  return { length: max_length === -1 ? 'max' : max_length / 2 };
}

function precisionAndScale({ precision, scale }: ColumnRow): Facets {
  return { precision, scale };
}

/**
 * Finds the type of a column by its `user_type_id`. Ids differ between SQL Server and compatible servers, names do not.
 * An alias type is resolved to its base type, a user's CLR type becomes `clr`, and `timestamp` becomes `rowversion`.
 */
function buildDeclarations({ types, schemas }: MssqlCatalogRows): (row: ColumnRow) => Declaration {
  const schemaNames = new Map(schemas.map((schema) => [schema.schema_id, schema.name]));
  const byId = new Map(types.map((type) => [type.user_type_id, type]));
  const systemTypes = types.filter((type) => !type.is_user_defined && type.name !== 'sysname');
  const bySystemId = groupBy(systemTypes, (type) => type.system_type_id);

  const baseOf = ({ system_type_id, user_type_id }: ColumnRow): string => {
    const names = new Set(bySystemId.get(system_type_id)?.map((type) => canonical(type.name)));
    const [base, ...others] = names;
    return base !== undefined && others.length === 0 ? base : `user_type_id ${user_type_id}`;
  };

  return (row) => {
    const type = byId.get(row.user_type_id);
    if (!type) return { type: baseOf(row) };
    if (!type.is_user_defined && type.name !== 'sysname') return { type: canonical(type.name) };
    const schema = schemaNames.get(type.schema_id ?? -1);
    const declaredAs = schema === undefined ? type.name : `${schema}.${type.name}`;
    if (type.is_assembly_type) return { type: 'clr', declaredAs, declaredKind: 'clr' };
    return { type: baseOf(row), declaredAs, declaredKind: 'alias' };
  };
}

/** Renames `timestamp`, a deprecated word of the catalog that means a time of day elsewhere. */
function canonical(typeName: string): string {
  const name = typeName.toLowerCase();
  return name === 'timestamp' ? 'rowversion' : name;
}

/**
 * Returns the expression of a computed column without a row in `sys.computed_columns`. A column set is computed from
 * the sparse columns of its table.
 */
function computedWithoutRow(row: ColumnRow): string | undefined {
  if (row.is_column_set) return '(column set)';
  return row.is_computed ? NOT_VISIBLE : undefined;
}

function columnKey(row: { readonly object_id: number; readonly column_id: number }): string {
  return `${row.object_id}.${row.column_id}`;
}

/** Sorts rows by an ordinal and keeps one row per ordinal. Joins of catalog views repeat rows. */
export function rowsInOrder<T>(
  rows: readonly T[] | undefined,
  ordinalOf: (row: T) => number,
): readonly T[] {
  const once = new Map(rows?.map((row) => [ordinalOf(row), row]));
  return [...once].sort(([a], [b]) => a - b).map(([, row]) => row);
}
