import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import { keyTypeProblem } from './check-key-types.ts';
import { formatSourceType, mapType } from './types/map-type.ts';

type Facets = Partial<CatalogColumn>;

const FOLDS = /^different values can become equal \(.*\); .*lossy_key_columns/;
const NO_EQUALITY = /^values of type .+ cannot identify rows;/;
const NOT_CARRIED = /^CDC does not replicate this type; name another key in key_columns$/;
const NOT_IN_DELETES = /^the event of a delete has no value of the type/;

function problemOf(
  source: SourceType,
  type: string,
  { override, ...facets }: Facets & { readonly override?: string },
  lossyKeyColumns: readonly string[] = [],
): string | undefined {
  const column: CatalogColumn = { name: 'k', type, nullable: false, ...facets };
  const at = { file: '', keys: [] };
  const types = new Map(override === undefined ? [] : [[type, override]]);
  const overrides = { at, types, tables: new Map() };
  const mapped = mapType(source, column, { overrides, table: 'dbo.T' })!;
  const described = { name: 'k', type: formatSourceType(column) };
  return keyTypeProblem({ ...mapped, source: described }, { lossyKeyColumns });
}

describe('accepts a key type that keeps different source values distinct', () => {
  it.each<[SourceType, string, Facets & { readonly override?: string }]>([
    ['mssql', 'bit', {}],
    ['mssql', 'tinyint', {}],
    ['mssql', 'smallint', {}],
    ['mssql', 'int', {}],
    ['mssql', 'bigint', {}],
    ['mssql', 'decimal', { precision: 38, scale: 10 }],
    ['mssql', 'numeric', { precision: 18, scale: 0 }],
    ['mssql', 'money', {}],
    ['mssql', 'smallmoney', {}],
    ['mssql', 'real', {}],
    ['mssql', 'float', { precision: 53 }],
    ['mssql', 'date', {}],
    ['mssql', 'time', { scale: 6 }],
    ['mssql', 'smalldatetime', {}],
    ['mssql', 'datetime', {}],
    ['mssql', 'datetime2', { scale: 6 }],
    ['mssql', 'datetimeoffset', { scale: 6 }],
    ['mssql', 'char', { length: 4 }],
    ['mssql', 'nchar', { length: 4 }],
    ['mssql', 'varchar', { length: 50 }],
    ['mssql', 'nvarchar', { length: 50, collation: 'Latin1_General_CI_AS' }],
    ['mssql', 'sysname', {}],
    ['mssql', 'binary', { length: 8 }],
    ['mssql', 'varbinary', { length: 8 }],
    ['mssql', 'rowversion', {}],
    ['mssql', 'uniqueidentifier', {}],
    ['mssql', 'int', { override: 'bigint' }],
    ['mssql', 'int', { override: 'smallint' }],
    ['mssql', 'decimal', { precision: 18, scale: 0, override: 'bigint' }],
    ['mssql', 'datetime2', { scale: 7, override: 'text' }],
    ['mssql', 'varchar', { length: 50, override: 'text' }],
    ['postgres', 'boolean', {}],
    ['postgres', 'integer', {}],
    ['postgres', 'numeric', {}],
    ['postgres', 'double precision', {}],
    ['postgres', 'character varying', { length: 9 }],
    ['postgres', 'bpchar', {}],
    ['postgres', 'text', { collation: 'ignores_case' }],
    ['postgres', 'bytea', {}],
    ['postgres', 'uuid', {}],
    ['postgres', 'date', {}],
    ['postgres', 'time without time zone', {}],
    ['postgres', 'timestamp without time zone', {}],
    ['postgres', 'timestamp with time zone', {}],
    ['postgres', 'bit', { length: 3 }],
    ['postgres', 'inet', {}],
    ['postgres', 'cidr', {}],
    ['postgres', 'macaddr', {}],
    ['postgres', 'int8range', {}],
    ['postgres', 'daterange', {}],
    ['postgres', 'tstzrange', {}],
    ['postgres', 'text', { declaredAs: 's.mood', declaredKind: 'enum' }],
    ['postgres', 'integer', { declaredAs: 's.percent', declaredKind: 'domain' }],
  ])('%s %s %j', (source, type, facets) => {
    expect(problemOf(source, type, facets)).toBeUndefined();
  });
});

describe('refuses any other key type', () => {
  it.each<[SourceType, string, Facets & { readonly override?: string }, RegExp]>([
    ['mssql', 'time', { scale: 7 }, FOLDS],
    ['mssql', 'datetime2', { scale: 7 }, FOLDS],
    ['mssql', 'datetimeoffset', { scale: 7 }, FOLDS],
    ['mssql', 'datetime2', { scale: 7, override: 'timestamp' }, FOLDS],
    ['mssql', 'datetime2', { scale: 3, override: 'timestamp(0)' }, FOLDS],
    ['mssql', 'datetime2', { scale: 3, override: 'date' }, FOLDS],
    ['mssql', 'decimal', { precision: 12, scale: 2, override: 'numeric(12,1)' }, FOLDS],
    ['mssql', 'float', { precision: 53, override: 'real' }, FOLDS],
    ['mssql', 'varchar', { length: 36, override: 'uuid' }, FOLDS],
    ['mssql', 'varchar', { length: 36, override: 'char(36)' }, FOLDS],
    ['mssql', 'varchar', { length: 36, override: 'varchar(20)' }, FOLDS],
    ['mssql', 'text', {}, NOT_IN_DELETES],
    ['mssql', 'ntext', {}, NOT_IN_DELETES],
    ['mssql', 'image', {}, NOT_IN_DELETES],
    ['mssql', 'text', { declaredAs: 'dbo.Note', declaredKind: 'alias' }, NOT_IN_DELETES],
    ['mssql', 'xml', {}, NO_EQUALITY],
    ['mssql', 'json', {}, NO_EQUALITY],
    ['mssql', 'sql_variant', {}, NOT_CARRIED],
    ['mssql', 'hierarchyid', {}, NOT_CARRIED],
    ['mssql', 'hierarchyid', { override: 'varchar(100)' }, NOT_CARRIED],
    ['mssql', 'geometry', {}, NOT_CARRIED],
    ['mssql', 'geography', {}, NOT_CARRIED],
    ['postgres', 'money', {}, FOLDS],
    ['postgres', 'money', { override: 'numeric(19,4)' }, FOLDS],
    ['postgres', 'bit varying', { length: 8 }, FOLDS],
    ['postgres', 'time with time zone', {}, FOLDS],
    ['postgres', 'numeric', { override: 'numeric(12,2)' }, FOLDS],
    ['postgres', 'interval', {}, NO_EQUALITY],
    ['postgres', 'numrange', {}, NO_EQUALITY],
    ['postgres', 'xml', {}, NO_EQUALITY],
    ['postgres', 'json', {}, NO_EQUALITY],
    ['postgres', 'jsonb', {}, NO_EQUALITY],
    ['postgres', 'integer', { array: 1 }, NO_EQUALITY],
    ['postgres', 'xml', { array: 1 }, NOT_CARRIED],
  ])('%s %s %j', (source, type, facets, problem) => {
    expect(problemOf(source, type, facets)).toMatch(problem);
    const accepted = problemOf(source, type, facets, ['k']);
    if (problem === FOLDS) expect(accepted).toBeUndefined();
    else expect(accepted).toMatch(problem);
  });

  it.each<[SourceType, string, Facets, boolean]>([
    ['mssql', 'datetime2', { scale: 7 }, true],
    ['postgres', 'money', {}, false],
  ])('%s %s %j: suggests an override with text: %j', (source, type, facets, isKept) => {
    expect(/override its type with text/.test(problemOf(source, type, facets)!)).toBe(isKept);
  });
});
