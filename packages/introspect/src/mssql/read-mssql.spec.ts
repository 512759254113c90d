import {
  readAdopusCatalog,
  startMssqlFixture,
  synthesizeCatalog,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { readCatalogs } from '../read-catalogs.ts';
import type { CatalogSelection, SourceEvent, SourceDatabase } from '../source-database.ts';

const TABLES = 4000;
const COLUMNS = 3;
/** These tests count round trips. Their duration on a busy machine is not tested. */
const LONG_TIMEOUT_MS = 300_000;

let server: MssqlFixture;
beforeAll(async () => {
  server = await startMssqlFixture({
    databases: {
      AdOpusTest: readAdopusCatalog(),
      Large: synthesizeCatalog({ tables: TABLES, columnsPerTable: COLUMNS }),
    },
  });
});
afterAll(async () => {
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

function sourceOf(database: string): SourceDatabase {
  const { host, port, login } = server;
  const { userName: user, password } = login;
  return {
    type: 'mssql',
    server: { name: 'default', host, port, user, password, encrypt: false },
    database,
  };
}

function selectionOf(database: string, tables: readonly string[]): CatalogSelection {
  return { database, schema: 'dbo', pattern: 'db-per-tenant', tables };
}

const NAMES = Array.from({ length: TABLES }, (_, i) => `Table${String(i + 1).padStart(4, '0')}`);

it(
  'reads 4,000 tables with as many round trips as 2 tables',
  async () => {
    server.clearRequests();
    await readCatalogs(sourceOf('AdOpusTest'), [selectionOf('AdOpusTest', ['Actor', 'Avtale'])]);
    expect(server.roundTrips()).toBe(2);
    server.clearRequests();
    const [catalog] = (await readCatalogs(sourceOf('Large'), [selectionOf('Large', NAMES)], {
      timeoutMs: LONG_TIMEOUT_MS,
    }))!;
    expect(server.roundTrips()).toBe(2);
    expect(catalog!.tables).toHaveLength(TABLES);
    expect(catalog!.tables.reduce((sum, { columns }) => sum + columns.length, 0)).toBe(
      TABLES * COLUMNS,
    );
  },
  LONG_TIMEOUT_MS,
);

it('reports its progress', async () => {
  const events: SourceEvent[] = [];
  const onEvent = (event: SourceEvent) => events.push(event);
  await readCatalogs(sourceOf('AdOpusTest'), [selectionOf('AdOpusTest', ['Actor'])], { onEvent });
  expect(events).toEqual([
    { kind: 'connecting', database: 'AdOpusTest', host: '127.0.0.1' },
    { kind: 'reading', database: 'AdOpusTest', tables: 1 },
    { kind: 'read', database: 'AdOpusTest', tables: 1 },
  ]);
});

it('finds tables case-insensitively, even with quotes, and returns the original spelling', async () => {
  const database = server.database('AdOpusTest');
  database.addTable({ name: "dbo.Ord're [x]", columns: [{ name: 'Æøå', type: 'int' }] });
  const tables = ['ACTOR', "ord're [x]"];
  const [catalog] = (await readCatalogs(sourceOf('AdOpusTest'), [
    selectionOf('AdOpusTest', tables),
  ]))!;
  expect(catalog!.tables.map(({ name }) => name)).toEqual(['Actor', "Ord're [x]"]);
  database.dropTable("dbo.Ord're [x]");
});

describe('the fingerprint', () => {
  const read = async () => {
    const [catalog] = (await readCatalogs(sourceOf('AdOpusTest'), [
      selectionOf('AdOpusTest', ['Actor', 'Address']),
    ]))!;
    return catalog!.fingerprint!;
  };

  it.each<[string, () => void]>([
    [
      'a column is added',
      () => server.database('AdOpusTest').addColumn('dbo.Actor', { name: 'Ny', type: 'int' }),
    ],
    [
      'a column changes its length',
      () =>
        server
          .database('AdOpusTest')
          .update('sys.columns', { name: 'Fornavn' }, { max_length: 122 }),
    ],
    [
      'a table is tracked',
      () =>
        server
          .database('AdOpusTest')
          .update('sys.tables', { name: 'Actor' }, { is_tracked_by_cdc: true }),
    ],
    [
      'a key is renamed',
      () =>
        server.database('AdOpusTest').update('sys.indexes', { name: 'PK_Actor' }, { name: 'PK_A' }),
    ],
    [
      'a foreign key is renamed',
      () =>
        server
          .database('AdOpusTest')
          .update('sys.foreign_keys', { name: 'FK_Address_Actor_0' }, { name: 'FK' }),
    ],
  ])('changes when %s', async (_, change) => {
    const before = await read();
    expect(await read()).toBe(before);
    change();
    expect(await read()).not.toBe(before);
  });

  it('does not change when another table changes', async () => {
    const before = await read();
    server.database('AdOpusTest').addColumn('dbo.Avtale', { name: 'Ny', type: 'int' });
    expect(await read()).toBe(before);
  });
});
