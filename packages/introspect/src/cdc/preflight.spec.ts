import {
  readAdopusCatalog,
  startMssqlFixture,
  type MssqlDatabase,
  type MssqlFixture,
  type MssqlFixtureOptions,
} from '@cdc-migrations/mssql-fixture';
import type { SourceDatabase } from '../source-database.ts';
import type { CaptureRequest } from './capture-state.ts';
import { enableCdc, type EnableCdcOptions } from './enable-cdc.ts';
import type { FindingCode } from './finding.ts';

const ACTOR = { schema: 'dbo', table: 'actor', columns: ['Navn', 'Fornavn'] };
const NOTES = { schema: 'dbo', table: 'Actor', columns: ['Navn', 'Notat'] };
/** A login that owns the database without being sysadmin, and one that owns nothing. */
const LOGINS = [
  { name: 'sa', password: 'sa-secret', serverRoles: ['sysadmin'], databaseRoles: {} },
  {
    name: 'owner',
    password: 'owner-secret',
    serverRoles: [],
    databaseRoles: { AdOpusTest: ['db_owner'] },
  },
  {
    name: 'reader',
    password: 'reader-secret',
    serverRoles: [],
    databaseRoles: { AdOpusTest: ['db_datareader'] },
  },
] as const satisfies MssqlFixtureOptions['logins'];

let server: MssqlFixture;
let database: MssqlDatabase;
beforeEach(async () => {
  server = await startMssqlFixture({
    databases: { AdOpusTest: readAdopusCatalog() },
    logins: [...LOGINS],
  });
  database = server.database('AdOpusTest');
});
afterEach(async () => {
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

function sourceOf(user: 'sa' | 'owner' | 'reader' = 'sa'): SourceDatabase {
  const { host, port } = server;
  const address = { name: 'default', host, port, user, password: `${user}-secret`, encrypt: false };
  return { type: 'mssql', server: address, database: 'AdOpusTest' };
}

const codes = async (
  request: CaptureRequest = ACTOR,
  user?: 'sa' | 'owner' | 'reader',
  options: EnableCdcOptions = {},
) => {
  const { plan, tables } = await enableCdc(sourceOf(user), [request], { ...options, dryRun: true });
  return { codes: plan.findings.map(({ code }) => code), state: tables[0]!.state, plan };
};

const idOf = (table: string) =>
  database.find('sys.tables', { name: table })[0]!['object_id'] as number;

describe('a plan without problems', () => {
  it('has no findings for a sysadmin and a table with a key and no large column', async () => {
    expect(await codes()).toMatchObject({ codes: [], state: 'would be enabled' });
  });
});

/** Expected finding, change of the server, request, and login. */
type Case = [FindingCode, () => void, typeof ACTOR?, ('sa' | 'owner' | 'reader')?];
const CASES: Case[] = [
  [
    'database-read-only',
    () => database.update('sys.databases', { name: 'AdOpusTest' }, { is_read_only: true }),
  ],
  ['no-sysadmin', () => undefined, ACTOR, 'owner'],
  [
    'cdc-name-taken',
    () => database.insert('sys.schemas', { name: 'cdc', schema_id: 77, principal_id: 1 }),
  ],
  [
    'cdc-name-taken',
    () => database.insert('sys.database_principals', { name: 'cdc', principal_id: 77 }),
  ],
  [
    'agent-stopped',
    () =>
      database.update('sys.dm_server_services', { process_id: 1202 }, { status_desc: 'Stopped' }),
  ],
  ['no-table', () => undefined, { ...ACTOR, table: 'Aktor' }],
  ['no-column', () => undefined, { ...ACTOR, columns: ['Navn', 'Nav'] }],
  [
    'memory-optimized',
    () => database.update('sys.tables', { name: 'Actor' }, { is_memory_optimized: true }),
  ],
  [
    'columnstore',
    () =>
      database.insert('sys.indexes', {
        object_id: idOf('Actor'),
        name: 'CCI',
        index_id: 99,
        type: 5,
      }),
  ],
  [
    'computed-column',
    () => database.addColumn('dbo.Actor', { name: 'L', type: 'int', computed: '(len([Navn]))' }),
    { ...ACTOR, columns: ['L'] },
  ],
  [
    'collation',
    () =>
      database.update(
        'sys.columns',
        { object_id: idOf('Actor'), name: 'Epost' },
        { collation_name: 'Latin1_General_CI_AS' },
      ),
    { ...ACTOR, columns: ['Epost'] },
  ],
  ['large-object', () => undefined, NOTES],
];

it.each<Case>(CASES)('blocks on %s', async (code, change, request = ACTOR, user = 'sa') => {
  change();
  expect(await codes(request, user)).toMatchObject({ codes: [code], state: 'blocked' });
});

it('no-owner: reports a reader, who can enable neither the database nor its tables', async () => {
  expect((await codes(ACTOR, 'reader')).codes).toEqual(['no-sysadmin', 'no-owner']);
});

it.each<[FindingCode, () => void, typeof ACTOR]>([
  ['no-key', () => undefined, { schema: 'dbo', table: 'Region', columns: [] }],
  [
    'type-not-carried',
    () => database.addColumn('dbo.Actor', { name: 'V', type: 'sql_variant' }),
    { ...ACTOR, columns: ['V'] },
  ],
])('reports %s as a note that does not block', async (code, change, request) => {
  change();
  const { codes: found, state } = await codes(request);
  expect(found).toContain(code);
  expect(state).toBe('would be enabled');
});

it.each([
  [[[]], 'name one in key_columns, and the same in message.key.columns of Debezium'],
  [[[], ['Kode', 'Navn']], 'message.key.columns: dbo.Region:Kode,Navn'],
])(
  'no-key: suggests a solution for a table whose definitions have the keys %j',
  async (keys, way) => {
    const request = { schema: 'dbo', table: 'Region', columns: [], keys };
    const { plan } = await codes(request);
    expect(plan.findings.find(({ code }) => code === 'no-key')?.message).toContain(way);
  },
);

it('agent-unknown: reports a note if the login cannot read the state of the agent', async () => {
  server.addFault({
    fault: { kind: 'error', number: 300, message: 'VIEW SERVER STATE permission was denied.' },
    sql: /dm_server_services/,
  });
  expect(await codes()).toMatchObject({ codes: ['agent-unknown'], state: 'would be enabled' });
});

it('refuses express-edition', async () => {
  const { planCapture } = await import('./plan-capture.ts');
  const state = {
    database: {
      name: 'X',
      isEnabled: true,
      isReadOnly: false,
      collation: 'C',
      hasSchema: true,
      hasUser: true,
    },
    login: { isSysadmin: true, isOwner: true },
    isExpress: true,
    agent: 'running' as const,
    tables: [],
  };
  const plan = planCapture(state, [], { accepted: [], secondInstance: false });
  expect(plan).toMatchObject({ isBlocked: true, findings: [{ code: 'express-edition' }] });
});

it('does not block if large objects are accepted or their size is unlimited', async () => {
  expect(await codes(NOTES, 'sa', { accepted: ['large-object'] })).toMatchObject({
    codes: ['large-object'],
    state: 'would be enabled',
  });
  database.update('sys.configurations', { configuration_id: 1536 }, { value_in_use: -1 });
  expect(await codes(NOTES)).toMatchObject({ codes: [], state: 'would be enabled' });
});

it('reports all findings at once', async () => {
  database.update('sys.dm_server_services', { process_id: 1202 }, { status_desc: 'Stopped' });
  database.update('sys.tables', { name: 'Actor' }, { is_memory_optimized: true });
  expect((await codes({ ...NOTES, columns: ['Notat', 'X'] }, 'owner')).codes).toEqual([
    ...['no-sysadmin', 'agent-stopped', 'no-column', 'memory-optimized', 'large-object'],
  ]);
});

describe('a table that is already captured', () => {
  beforeEach(async () => {
    await enableCdc(sourceOf(), [ACTOR]);
  });

  it.each([
    ['the same columns', ACTOR],
    ['fewer columns', { ...ACTOR, columns: ['Navn'] }],
  ])('with %s is unchanged', async (_, request) => {
    expect(await codes(request)).toMatchObject({ codes: [], state: 'kept' });
  });

  const MORE = { ...ACTOR, columns: ['Navn', 'Fornavn', 'Etternavn'] };

  it('with more columns is blocked, and the message suggests a solution', async () => {
    const { codes: found, state, plan } = await codes(MORE);
    expect(found).toEqual(['other-columns']);
    expect(state).toBe('blocked');
    expect(plan.findings[0]!.message).toBe(
      'dbo_Actor does not capture Etternavn; --second-instance creates dbo_Actor_v2, then move the connector there and drop the first',
    );
  });

  it('gets a second instance with secondInstance, but no third', async () => {
    const { tables } = await enableCdc(sourceOf(), [MORE], { secondInstance: true });
    expect(tables).toMatchObject([{ instance: 'dbo_Actor_v2', state: 'enabled' }]);
    expect((await codes(MORE)).state).toBe('kept');
    const most = { ...MORE, columns: [...MORE.columns, 'Epost'] };
    expect(await codes(most, 'sa', { secondInstance: true })).toMatchObject({
      codes: ['two-instances'],
      state: 'blocked',
    });
  });
});

it('the script enables the table, and changes nothing in a second run', async () => {
  const { sql } = await enableCdc(sourceOf(), [ACTOR], { dryRun: true });
  const { openMssql } = await import('../mssql/open-mssql.ts');
  const session = await openMssql(sourceOf(), 5000);
  for (let run = 0; run < 2; run++) {
    for (const batch of sql.split(/^GO$/m)) await session.batch(batch);
  }
  session.close();
  expect(database.find('cdc.change_tables').map((row) => row['capture_instance'])).toEqual([
    'dbo_Actor',
  ]);
  expect(await codes()).toMatchObject({ codes: [], state: 'kept' });
});
