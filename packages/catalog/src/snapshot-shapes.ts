import type {
  Catalog,
  CatalogColumn,
  CatalogForeignKey,
  CatalogKey,
  CatalogTable,
  CatalogUniqueIndex,
} from './catalog.ts';
import { isMapping } from './shape.ts';
import type { Field, Shape } from './shape.ts';

/** Everything at the head of a snapshot. */
export const HEAD: Shape<Omit<Catalog, 'tables'>> = {
  database: required('database', isName, 'the name of a database'),
  schema: required('schema', isName, 'the name of a schema'),
  type: required('type', oneOf('mssql', 'postgres'), 'mssql or postgres'),
  pattern: required('pattern', oneOf('db-per-tenant', 'db-shared'), 'db-per-tenant or db-shared'),
  collation: optional('collation', isName, 'the name of a collation'),
  fingerprint: optional('fingerprint', isName, 'a text that the source gave'),
};

/** One line of `columns`. */
export const COLUMN: Shape<CatalogColumn> = {
  name: required('name', isName, 'the name of a column'),
  type: required('type', isName, 'a type without facets: nvarchar'),
  length: optional('length', isLength, 'a whole number from 1, or max'),
  precision: optional('precision', isInteger, 'a whole number'),
  scale: optional('scale', isInteger, 'a whole number'),
  array: optional('array', isInteger, 'a number of dimensions'),
  declaredAs: optional('declared_as', isName, 'the name of a type: dbo.Url'),
  declaredKind: optional(
    'declared_kind',
    oneOf('alias', 'domain', 'enum', 'clr'),
    'alias, domain, enum or clr',
  ),
  nullable: required('nullable', isBoolean, 'true or false'),
  identity: optional('identity', isBoolean, 'true or false'),
  computed: optional('computed', isName, 'an expression'),
  default: optional('default', isText, 'an expression'),
  collation: optional('collation', isName, 'the name of a collation'),
};

/** `primary_key`. */
export const KEY: Shape<CatalogKey> = {
  name: required('name', isName, 'the name of a key'),
  columns: required('columns', isNames, 'a list of column names'),
};

/** One line of `unique_indexes`. */
export const UNIQUE_INDEX: Shape<CatalogUniqueIndex> = {
  ...KEY,
  filter: optional('filter', isName, 'a predicate'),
};

/** One line of `foreign_keys`. */
export const FOREIGN_KEY: Shape<CatalogForeignKey> = {
  ...KEY,
  references: required('references', isReference, '{schema: …, table: …, columns: […]}'),
};

/** Keys of a table in the text; the name of the table is the key that leads to them. */
export const TABLE_KEYS: { readonly [K in Exclude<keyof CatalogTable, 'name'>]: string } = {
  tracked: 'tracked',
  columns: 'columns',
  primaryKey: 'primary_key',
  uniqueIndexes: 'unique_indexes',
  foreignKeys: 'foreign_keys',
};

function required<T>(key: string, accepts: Field<T>['accepts'], expects: string): Field<T> {
  return { key, accepts, expects, optional: false };
}

function optional<T>(key: string, accepts: Field<T>['accepts'], expects: string): Field<T> {
  return { key, accepts, expects, optional: true };
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isName);
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isLength(value: unknown): value is number | 'max' {
  return value === 'max' || (isInteger(value) && value > 0);
}

function oneOf<T extends string>(...words: readonly T[]): (value: unknown) => value is T {
  return (value): value is T => words.some((word) => word === value);
}

function isReference(value: unknown): value is CatalogForeignKey['references'] {
  return (
    isMapping(value) &&
    Object.keys(value).length === 3 &&
    isName(value['schema']) &&
    isName(value['table']) &&
    isNames(value['columns'])
  );
}
