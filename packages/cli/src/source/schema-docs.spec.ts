import { createServer, type AddressInfo, type Server } from 'node:net';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  readAdopusCatalog,
  startMssqlFixture,
  type Fault,
  type MssqlFixture,
} from '@cdc-migrations/mssql-fixture';
import { copyRepo, mssqlEnv, type SourceRepo } from './source-repo.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const COMMITTED = readFileSync(join(__dirname, '../../../../fixtures/adopus', SNAPSHOT), 'utf8');
const EMPTY_CATALOG = {
  ...Object.fromEntries(Object.keys(readAdopusCatalog()).map((view) => [view, []])),
  'sys.databases': [{ database_id: 6, name: 'Empty', collation_name: 'Danish_Norwegian_CI_AS' }],
};

let server: MssqlFixture;
let repo: SourceRepo;
beforeAll(async () => {
  server = await startMssqlFixture({
    databases: { AdOpusTest: readAdopusCatalog(), Empty: EMPTY_CATALOG },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  repo = copyRepo('adopus');
  writeFileSync(join(repo.root, 'ca.pem'), server.certificatePem);
  repo.setEnv(mssqlEnv(server));
  setServer('ca_file: ca.pem');
});
afterEach(() => {
  server.clearFaults();
  repo.remove();
});

/** Adds a line to the server `default`. */
function setServer(line: string): void {
  const password = '      password: ${MSSQL_NONPROD_PASSWORD}\n';
  repo.edit('source-groups.yaml', password, `${password}      ${line}\n`);
}

function removeCa(): void {
  repo.edit('source-groups.yaml', '      ca_file: ca.pem\n', '');
}

describe('schema-docs', () => {
  it('writes the committed snapshot, byte for byte, over TLS with a verified certificate', async () => {
    repo.write(SNAPSHOT, '');
    const run = await repo.cdc('schema-docs', '--env', 'nonprod', '--force');
    expect(run).toMatchObject({ exitCode: 0, complaints: [], stdout: `changed ${SNAPSHOT}\n` });
    expect(repo.read(SNAPSHOT)).toBe(COMMITTED);
  });

  it('writes the committed snapshot, byte for byte, without TLS', async () => {
    removeCa();
    setServer('encrypt: false');
    repo.write(SNAPSHOT, '');
    expect(await repo.cdc('schema-docs', '--env', 'nonprod', '--force')).toMatchObject({
      exitCode: 0,
    });
    expect(repo.read(SNAPSHOT)).toBe(COMMITTED);
  });

  it('reads the validation environment without --env', async () => {
    expect(await repo.cdc('schema-docs')).toMatchObject({
      exitCode: 0,
      stdout: `unchanged ${SNAPSHOT}\n`,
    });
  });
});

describe('--if-changed', () => {
  it('sends one query if nothing changed', async () => {
    server.clearRequests();
    const run = await repo.cdc('schema-docs', '--if-changed');
    expect(run).toMatchObject({ exitCode: 0, stdout: '' });
    expect(run.stderr).toContain('AdOpusTest: nothing changed since the snapshot');
    expect(server.roundTrips()).toBe(1);
  });

  it.each([
    ['the service has a new table', () => addTable()],
    ['the snapshot is not a generated file', () => replaceSnapshot()],
    ['the snapshot is missing', () => rmSync(join(repo.root, SNAPSHOT))],
  ])('reads the catalog if %s', async (_, change) => {
    change();
    server.clearRequests();
    expect(await repo.cdc('schema-docs', '--if-changed', '--force')).toMatchObject({ exitCode: 0 });
    expect(server.roundTrips()).toBe(2);
  });

  function addTable(): void {
    repo.edit(
      'services/adopus.yaml',
      '      dbo.Ytelse: {}\n',
      '      dbo.Ytelse: {}\n      dbo.Test: {}\n',
    );
  }
  function replaceSnapshot(): void {
    repo.write(SNAPSHOT, 'database: X\n');
  }
});

it('an edited snapshot is not overwritten', async () => {
  const edited = COMMITTED.replace('nvarchar', 'varchar');
  repo.write(SNAPSHOT, edited);
  const error = `${SNAPSHOT}: this snapshot was edited; move it to a different folder, or overwrite it with --force`;
  expect(await repo.cdc('schema-docs')).toMatchObject({ exitCode: 6, complaints: [error] });
  const refresh = await repo.cdc('generate', '--refresh', '--json');
  expect(refresh).toMatchObject({ exitCode: 6, complaints: [error] });
  expect(JSON.parse(refresh.stdout)).toEqual({ exitCode: 6, errors: [error] });
  expect(repo.read(SNAPSHOT)).toBe(edited);
  repo.write(SNAPSHOT, 'database: X\n');
  expect((await repo.cdc('schema-docs')).complaints).toEqual([
    `${SNAPSHOT}: this file is not generated; move it to a different folder, or overwrite it with --force`,
  ]);
});

it('generate --refresh reads the source in 2 round trips', async () => {
  server.clearRequests();
  const run = await repo.cdc('generate', '--refresh');
  expect(run).toMatchObject({ exitCode: 0 });
  expect(server.roundTrips()).toBe(2);
});

it('generate --refresh reports the effects of changes once, with what to do', async () => {
  const before = COMMITTED.replace(
    '"Navn", "type": "nvarchar", "length": 60',
    '"Navn", "type": "nvarchar", "length": 80',
  )
    .replace('      - {"name": "RegionNr", "type": "smallint", "nullable": false}\n', '')
    .replace(
      '{"name": "Enhet", "type": "varchar", "length": 20,',
      '{"name": "Old", "type": "varchar", "length": 20,',
    );
  repo.write(SNAPSHOT, before);
  expect((await repo.cdc('generate')).exitCode).toBe(0);
  const { exitCode, complaints } = await repo.cdc('generate', '--refresh', '--force');
  expect(exitCode).toBe(0);
  for (const warning of [
    /adopus\.\w+: column "Navn": .*: apply will refuse the table, because values could be lost; cdc manage-migrations diff --base <commit before> --scaffold-manual creates a draft in migrations\/manual\/$/,
    /adopus\.Region: new column "RegionNr" is NULL in existing rows until they are read again \(cdc manage-migrations reload\), and becomes NOT NULL with the apply after that$/,
    /adopus\.Distrikt: if column "Enhet" is "Old" under a new name, say so before it is applied: renames: \{ "Old": "Enhet" \}$/,
  ])
    expect(complaints).toContainEqual(expect.stringMatching(warning));
  const again = await repo.cdc('generate', '--refresh');
  expect(again.complaints.filter((line) => /new column|under a new name/.test(line))).toEqual([]);
});

/** Runs with a fault. Expects one line with the problem and the solution, and no written file. */
async function expectFault(message: RegExp, ...args: readonly string[]): Promise<string> {
  const before = readdirSync(join(repo.root, 'generated/schemas'));
  const run = await repo.cdc('schema-docs', '--env', 'nonprod', '--timeout', '2', ...args);
  expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  expect(run.complaints).toHaveLength(1);
  expect(run.complaints[0]).toMatch(message);
  expect(run.stderr).not.toContain(server.login.password);
  expect(repo.read(SNAPSHOT)).toBe(COMMITTED);
  expect(readdirSync(join(repo.root, 'generated/schemas'))).toEqual(before);
  return run.complaints[0]!;
}

describe('on a fault, schema-docs keeps the snapshot and', () => {
  const addFault = (fault: Fault, sql?: RegExp) => server.addFault({ fault, ...(sql && { sql }) });

  it('reports a refused connection', async () => {
    repo.setEnv({ MSSQL_NONPROD_PORT: '1' });
    await expectFault(
      /AdOpusTest on 127\.0\.0\.1:1: connection refused; start the server, or fix host and port/,
    );
  });

  it('reports an unknown host', async () => {
    repo.setEnv({ MSSQL_NONPROD_HOST: 'no-such-host.invalid' });
    await expectFault(/unknown host; fix the host of the server "default"/);
  });

  it('reports a port that belongs to another program', async () => {
    const other: Server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    repo.setEnv({ MSSQL_NONPROD_PORT: String((other.address() as AddressInfo).port) });
    await expectFault(/closed before the login; is it the port of the database server "default"\?/);
    other.close();
  });

  it('reports a connection that is closed again after a retry', async () => {
    addFault({ kind: 'close', afterRows: 100 }, /sys\.index_columns/);
    await expectFault(/the connection was lost before the answer was complete; run it again/);
  });

  it('reads again if the connection is closed once in the middle of a row', async () => {
    server.addFault({
      fault: { kind: 'close', afterRows: 100 },
      sql: /sys\.index_columns/,
      times: 1,
    });
    expect(await repo.cdc('schema-docs')).toMatchObject({
      exitCode: 0,
      stdout: `unchanged ${SNAPSHOT}\n`,
    });
  });

  it.each<[string, Fault]>([
    ['answers attention', { kind: 'stall', afterRows: 50 }],
    ['ignores attention', { kind: 'stall', afterRows: 50, isDeaf: true }],
  ])('reports a timeout if the server stalls and %s', async (_, fault) => {
    addFault(fault, /sys\.index_columns/);
    await expectFault(/no complete answer within 2 s; run it again, or allow more with --timeout/);
  });

  it('reports a timeout of the login', async () => {
    addFault({ kind: 'stall-login' });
    await expectFault(/no connection within 2 s/);
  });

  it('reports a refused login without its password', async () => {
    repo.setEnv({ MSSQL_NONPROD_PASSWORD: 'a-wrong-secret' });
    const line = await expectFault(
      /the server refused the login \(Login failed for user 'sa'\); fix user and password/,
    );
    expect(line).not.toContain('a-wrong-secret');
  });

  it('reports an unknown database', async () => {
    repo.edit('source-groups.yaml', 'database: AdOpusTest', 'database: AdOpusTset');
    repo.edit(
      'services/adopus.yaml',
      'validation_database: AdOpusTest',
      'validation_database: AdOpusTset',
    );
    await expectFault(
      /the server has no database "AdOpusTset", or the login may not open it; fix the name/,
    );
  });

  it('reports an untrusted certificate', async () => {
    removeCa();
    await expectFault(
      /the certificate of the server is not trusted \(.*\); name its authority with ca_file, or set trust_server_certificate: true/,
    );
  });

  it('reports a missing ca_file', async () => {
    repo.edit('source-groups.yaml', 'ca.pem', 'no.pem');
    await expectFault(/ca_file .*no\.pem of the server "default" cannot be read/);
  });

  it('reports all missing variables', async () => {
    repo.setEnv({ MSSQL_NONPROD_HOST: undefined, MSSQL_NONPROD_PASSWORD: undefined });
    await expectFault(
      /source-groups\.yaml: the server "default" of adopus needs MSSQL_NONPROD_HOST, MSSQL_NONPROD_PASSWORD; set them in the environment/,
    );
  });

  it('reports an empty database', async () => {
    repo.edit('source-groups.yaml', 'database: AdOpusTest', 'database: Empty');
    repo.edit(
      'services/adopus.yaml',
      'validation_database: AdOpusTest',
      'validation_database: Empty',
    );
    await expectFault(
      /Empty on .*: the database has no table that the login sees; is it the right one\?/,
    );
    expect(existsSync(join(repo.root, 'generated/schemas/Empty.dbo.yaml'))).toBe(false);
  });

  it('reports a table that is dropped between two queries', async () => {
    const database = server.addDatabase('Dropping', readAdopusCatalog());
    repo.edit('source-groups.yaml', 'database: AdOpusTest', 'database: Dropping');
    repo.edit(
      'services/adopus.yaml',
      'validation_database: AdOpusTest',
      'validation_database: Dropping',
    );
    addFault(
      { kind: 'act', act: () => database.dropTable('dbo.Avtale') },
      /sys\.index_columns AS x JOIN #wanted/,
    );
    await expectFault(/dbo\.Avtale changed while the structure was read; run it again/);
  });

  it('reports an unknown table with a similar name', async () => {
    repo.edit('services/adopus.yaml', /^ {6}dbo\.Ytelse: \{\}$/, '      dbo.Ytelser: {}');
    repo.edit('services/adopus.yaml', 'from: dbo.Ytelse', 'from: dbo.Ytelser');
    await expectFault(/there is no table dbo\.Ytelser \(did you mean "Ytelse"\?\); fix the names/);
  });

  it('reports a server that does not support TLS', async () => {
    const plain = await startMssqlFixture({
      databases: { AdOpusTest: readAdopusCatalog() },
      encryption: 'unsupported',
    });
    repo.setEnv(mssqlEnv(plain));
    await expectFault(/the server does not support TLS, and nothing was sent; .* encrypt: false/);
    await plain.close();
  });
});

it('a table of a service that table_exclude_patterns excludes is reported with both files', async () => {
  repo.edit(
    'source-groups.yaml',
    "table_exclude_patterns: ['^Log', '^sys']",
    "table_exclude_patterns: ['^ytel']",
  );
  const { exitCode, complaints } = await repo.cdc('schema-docs');
  expect(exitCode).toBe(2);
  expect(complaints).toEqual([
    expect.stringMatching(
      /^services\/adopus\.yaml:\d+ adopus\.source\.tables\.dbo\.Ytelse: the service names this table and source-groups\.yaml excludes it: table_exclude_patterns has "\^ytel"; change one of the two$/,
    ),
  ]);
});

it('a pattern that takes longer than 1 s to match is reported with its file and line', async () => {
  repo.edit(
    'source-groups.yaml',
    "table_exclude_patterns: ['^Log', '^sys']",
    "table_exclude_patterns: ['^(((([a-z]+)+)+)+)+!$']",
  );
  const { exitCode, complaints } = await repo.cdc('schema-docs');
  expect(exitCode).toBe(2);
  expect(complaints).toEqual([
    expect.stringMatching(
      /^source-groups\.yaml:\d+ adopus: the exclude and include patterns of adopus take longer than 1 s; simplify them, for example \(a\+\)\+ to a\+$/,
    ),
  ]);
});
