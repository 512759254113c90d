import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { TypeOverrides } from '@cdc-migrations/config';
import { canonicalType, parsePgType } from './canonical-type.ts';
import { noted, type MappedType } from './mapped-type.ts';
import { MSSQL_TYPES } from './mssql-types.ts';
import { mapPostgresType } from './postgres-types.ts';
import { classifyTypeChange } from './type-change.ts';
import { KEPT_AS_TEXT } from './type-notes.ts';

const DEFAULTS: {
  readonly [Type in SourceType]: (column: CatalogColumn) => MappedType | undefined;
} = {
  mssql: (column) =>
    // A source type can be called "constructor".
    column.declaredKind === 'clr' || !Object.hasOwn(MSSQL_TYPES, column.type)
      ? undefined
      : MSSQL_TYPES[column.type]?.(column),
  postgres: mapPostgresType,
};

/** Scope for looking up a column's overrides. */
export interface OverrideScope {
  readonly overrides: TypeOverrides | undefined;
  /** `<schema>.<table>` of the source. */
  readonly table: string;
}

/**
 * Maps a source column to its PostgreSQL type. The first of these applies: the override of the column, of its type in
 * the table, of its type in all tables, or the default. Returns undefined if none of them exists.
 */
export function mapType(
  source: SourceType,
  column: CatalogColumn,
  scope: OverrideScope,
): MappedType | undefined {
  const byDefault = DEFAULTS[source](column);
  const override = findOverride(column, scope);
  const type = override && canonicalType(override.type);
  if (type === undefined || byDefault?.type === type) return byDefault;
  return byDefault ? overrideType(byDefault, type) : noted(type, 'override', 'override');
}

/** Applies an override. It does not restore information that CDC or the default type has lost. */
function overrideType(byDefault: MappedType, type: string): MappedType {
  const { type: usual, exactness, code } = byDefault;
  const reason = `override of ${usual}`;
  if (exactness === 'unsupported') return { ...byDefault, type };
  if (takesAnyText(type, usual)) {
    return code && exactness === 'lossy' && !KEPT_AS_TEXT.has(code)
      ? noted(type, code)
      : noted(type, 'override', reason);
  }
  const narrows = classifyTypeChange(usual, type) === 'unsafe';
  if (narrows && !onlyLimits(usual, type)) return noted(type, 'override-changes', reason);
  if (exactness === 'lossy') return { ...byDefault, type };
  return noted(type, narrows ? 'override-narrows' : 'override', reason);
}

/**
 * Checks if an override is text without a length for a type whose values have a complete text form. Binary values have
 * none.
 */
function takesAnyText(type: string, usual: string): boolean {
  return (type === 'text' || type === 'character varying') && !/^bytea$|\[\]$/.test(usual);
}

/** Checks if the narrower type refuses values that do not fit and keeps all others unchanged. */
function onlyLimits(from: string, to: string): boolean {
  const [before, after] = [scaleOf(from), scaleOf(to)];
  return before !== undefined && after !== undefined && before <= after;
}

/**
 * Returns the digits after the decimal point. Returns undefined for a type that is no exact number or has no fixed
 * scale.
 */
function scaleOf(type: string): number | undefined {
  if (/^(smallint|integer|bigint)$/.test(type)) return 0;
  const parsed = parsePgType(type);
  return parsed?.base === 'numeric' && !parsed.array ? parsed.facets[1] : undefined;
}

/** An override of a column's type. */
export interface ColumnOverride {
  /** PostgreSQL type, as written. */
  readonly type: string;
  /** Its location in the overrides file. */
  readonly keys: readonly string[];
}

/** Finds the narrowest override of a column. Returns undefined if there is none. */
export function findOverride(
  column: CatalogColumn,
  { overrides, table }: OverrideScope,
): ColumnOverride | undefined {
  const ofTable = overrides?.tables.get(table);
  const ofColumn = ofTable?.columns.get(column.name);
  const below = ['tables', table];
  if (ofColumn !== undefined) return { type: ofColumn, keys: [...below, 'columns', column.name] };
  return (
    findByType(ofTable?.types, column, [...below, 'types']) ??
    findByType(overrides?.types, column, ['types'])
  );
}

/**
 * Finds an override by the alias type, domain or enum, else by the type with its facets (`nvarchar(max)`), else by the
 * type without facets.
 */
function findByType(
  types: ReadonlyMap<string, string> | undefined,
  column: CatalogColumn,
  keys: readonly string[],
): ColumnOverride | undefined {
  const { type, declaredAs } = column;
  const names = [...(declaredAs === undefined ? [] : [declaredAs]), spellType(column), type];
  const name = names.find((each) => types?.has(each));
  return name === undefined ? undefined : { type: types!.get(name)!, keys: [...keys, name] };
}

/** Formats a source type as users write it: `nvarchar(100)`, `decimal(5,2)`, `dbo.Url (varchar(200))`. */
export function formatSourceType(column: CatalogColumn): string {
  const type = spellType(column);
  return column.declaredAs === undefined ? type : `${column.declaredAs} (${type})`;
}

function spellType({ type, length, precision, scale, array }: CatalogColumn): string {
  const facets =
    length !== undefined ? [length] : [precision, scale].filter((facet) => facet !== undefined);
  return type + (facets.length > 0 ? `(${facets.join(',')})` : '') + '[]'.repeat(array ?? 0);
}
