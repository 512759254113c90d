import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readAdopusCatalog } from './catalogs.ts';
import { startMssqlFixture, type MssqlFixture } from './server/start-mssql-fixture.ts';

let server: MssqlFixture;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mssql-fixture-'));
  server = await startMssqlFixture({ databases: { AdOpusTest: readAdopusCatalog() } });
});

afterAll(async () => {
  rmSync(folder, { recursive: true });
  expect(server.internalErrors()).toEqual([]);
  await server.close();
});

/** Returns the output of FreeTDS's tsql for a batch. */
async function tsql(batch: string, encryption: string): Promise<string> {
  const settings = join(folder, `${encryption}.conf`);
  writeFileSync(
    settings,
    `[global]\ntds version = 7.4\nencryption = ${encryption}\nclient charset = UTF-8\n`,
  );
  const { userName, password } = server.login;
  const args = ['-H', server.host, '-p', String(server.port), '-U', userName, '-P', password];
  const client = promisify(execFile)('tsql', [...args, '-D', 'AdOpusTest', '-o', 'q'], {
    env: { ...process.env, FREETDSCONF: settings },
    timeout: 20_000,
  });
  client.child.stdin?.end(`${batch}\nGO\nexit\n`);
  try {
    const { stdout, stderr } = await client;
    return stdout + stderr;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('tsql is missing: install FreeTDS (Debian: apt-get install freetds-bin)', {
      cause: error,
    });
  }
}

it.each([
  ['without TLS', 'off'],
  ['with TLS for the login', 'request'],
  ['with TLS for everything', 'require'],
])('FreeTDS logs in %s and reads sys.tables', async (_how, encryption) => {
  const output = await tsql(
    'SELECT name, schema_id, object_id FROM sys.tables ORDER BY name',
    encryption,
  );
  expect(output.split('\n').filter((line) => line.includes('\t1\t'))).toHaveLength(43);
  expect(output).toContain('Actor\t1\t245575929\n');
});

it('FreeTDS prints an error of the server', async () => {
  expect(await tsql('SELECT nope FROM sys.tables', 'off')).toMatch(
    /Msg 207 \(severity 16, state 1\)[^]*Invalid column name 'nope'\./,
  );
});
