import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnapshot, renderSnapshot } from '@cdc-migrations/catalog';
import { buildMssqlCatalog } from './build-mssql-catalog.ts';
import { parseMssqlCatalogRows } from './parse-mssql-catalog-rows.ts';
import { readDeclaredTables, type DeclaredColumn } from './t-sql.fixture.ts';

const ROOT = join(__dirname, '../../../..');
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const DECLARED = readDeclaredTables(readText('tools/mssql-fixture/data/AdOpusTest.sql'));
const ROWS = parseMssqlCatalogRows(
  JSON.parse(readText('tools/mssql-fixture/data/AdOpusTest.catalog.json')),
);

const SELECTED = [
  ...readText('fixtures/adopus/services/adopus.yaml').matchAll(/^ {6}dbo\.(\w+):/gm),
].map(([, table]) => table!);

const CATALOGS = {
  'built from the catalog views': buildMssqlCatalog(ROWS, {
    database: 'AdOpusTest',
    schema: 'dbo',
    pattern: 'db-per-tenant',
    tables: SELECTED,
  }),
  'read from the snapshot': parseSnapshot(readText(`fixtures/adopus/${SNAPSHOT}`), SNAPSHOT),
};

describe.each(Object.entries(CATALOGS))('AdOpusTest, %s', (_, catalog) => {
  it('has exactly the 39 tables of the service', () => {
    expect(SELECTED).toHaveLength(39);
    expect(catalog.tables.map(({ name }) => name)).toEqual([...SELECTED].sort());
  });

  it.each(catalog.tables.map((table) => [table.name, table] as const))(
    '%s matches its T-SQL declaration',
    (name, table) => {
      const declared = DECLARED.get(name)!;
      expect(table.columns).toEqual(declared.columns.map(expected));
      expect(table.primaryKey).toEqual(declared.primaryKey);
      expect(
        table.uniqueIndexes.map(({ filter, ...index }) => ({
          ...index,
          ...(filter !== undefined && { where: filter.slice(1, -1) }),
        })),
      ).toEqual([...declared.uniqueIndexes].sort((a, b) => (a.name < b.name ? -1 : 1)));
      expect(
        table.foreignKeys.map(({ references, ...key }) => ({
          ...key,
          target: `${references.schema}.${references.table}`,
          targetColumns: references.columns,
        })),
      ).toEqual(declared.foreignKeys);
    },
  );
});

it('the committed snapshot matches the built catalog', () => {
  const catalog = CATALOGS['built from the catalog views'];
  const { fingerprint } = CATALOGS['read from the snapshot'];
  expect(
    renderSnapshot({ ...catalog, ...(fingerprint !== undefined && { fingerprint }) }),
  ).toMatchObject({
    path: SNAPSHOT,
    text: readText(`fixtures/adopus/${SNAPSHOT}`),
  });
});

it('every table of the script can be selected', () => {
  const tables = [...DECLARED.keys()];
  expect(tables).toHaveLength(43);
  const selection = {
    database: 'AdOpusTest',
    schema: 'dbo',
    pattern: 'db-shared',
    tables,
  } as const;
  for (const table of buildMssqlCatalog(ROWS, selection).tables) {
    expect(table.columns).toEqual(DECLARED.get(table.name)!.columns.map(expected));
  }
});

/** Builds the catalog column that a declaration should give. */
function expected({ name, type = '', computed, nullable, ...rest }: DeclaredColumn): object {
  if (computed !== undefined) return expect.objectContaining({ name, computed });
  return {
    name,
    ...expectedType(type),
    nullable,
    ...(rest.isIdentity && { identity: true }),
    ...(rest.default !== undefined && { default: rest.default }),
    ...(rest.collation !== undefined && { collation: rest.collation }),
  };
}

function expectedType(declared: string): object {
  if (declared in NAMED_TYPES) return NAMED_TYPES[declared]!;
  const [, type, first, second] = /^(\w+)(?:\((\w+)(?:,(\d+))?\))?$/.exec(declared)!;
  if (first === undefined) return { type };
  if (first === 'max') return { type, length: 'max' };
  if (second !== undefined) return { type, precision: Number(first), scale: Number(second) };
  return /^(?:time|datetime2|datetimeoffset)$/.test(type!)
    ? { type, scale: Number(first) }
    : { type, length: Number(first) };
}

const NAMED_TYPES: Readonly<Record<string, object>> = {
  float: { type: 'float', precision: 53 },
  timestamp: { type: 'rowversion' },
  sysname: { type: 'nvarchar', length: 128, declaredAs: 'sys.sysname', declaredKind: 'alias' },
  '[dbo].[Url]': { type: 'varchar', length: 200, declaredAs: 'dbo.Url', declaredKind: 'alias' },
};

function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
