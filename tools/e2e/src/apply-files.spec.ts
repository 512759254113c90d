import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderYaml } from '@cdc-migrations/generated-file';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { applyFiles } from './apply-files.ts';
import { readManifest } from './read-manifest.ts';

const FILES = {
  'schemas/create-schemas.sql': 'CREATE SCHEMA "a b"; CREATE SCHEMA c;',
  'tables/T.sql':
    'CREATE TABLE "{{SCHEMA}}".t AS SELECT \'{{SCHEMA}}\'::text AS s, txid_current() AS made;',
  'staging/T-staging.sql':
    'INSERT INTO "{{SCHEMA}}".t SELECT \'second\', txid_current();' +
    "DO $$ BEGIN RAISE WARNING 'in {{SCHEMA}}'; END $$;",
};

describe('applyFiles of a manifest', () => {
  let server: PostgresServer;
  let root: string;
  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    await server.createRole('owner');
    root = mkdtempSync(join(tmpdir(), 'manifest-'));
    const files = Object.entries(FILES).map(([path, text]) => {
      mkdirSync(dirname(join(root, 'migrations', path)), { recursive: true });
      writeFileSync(join(root, 'migrations', path), text);
      const scope = path.startsWith('schemas/') ? 'database' : 'tenant';
      const checksum = `sha256:${'0'.repeat(64)}`;
      return { path, category: path.split('/')[0]!, name: path, scope, checksum };
    });
    writeFileSync(
      join(root, 'migrations/manifest.yaml'),
      renderYaml({ format: 1, set: 's.d', role: 'owner', files, validation: [] }),
    );
  });
  afterAll(async () => {
    await server.stop();
    rmSync(root, { recursive: true });
  });

  it('applies files to each tenant in order, each in one transaction, and collects notices', async () => {
    const database = await server.createDatabase({ owner: 'owner' });
    const tenants = ['a b', 'c'];
    const applied = await applyFiles(
      server,
      { database, user: 'owner', tenants },
      readManifest(root),
    );
    expect(applied.map(({ path, schema }) => `${schema} ${path}`).sort()).toEqual([
      'a b staging/T-staging.sql',
      'a b tables/T.sql',
      'c staging/T-staging.sql',
      'c tables/T.sql',
      'null schemas/create-schemas.sql',
    ]);
    expect(applied.flatMap(({ notices }) => notices.map(({ message }) => message)).sort()).toEqual([
      'in a b',
      'in c',
    ]);
    const sql = server.connect({ database, max: 1 });
    expect(
      await sql`SELECT s, count(DISTINCT made)::int AS n FROM "a b".t GROUP BY s ORDER BY s`,
    ).toEqual([
      { s: 'a b', n: 1 },
      { s: 'second', n: 1 },
    ]);
  });

  it('names the file and the tenant that failed', async () => {
    const database = await server.createDatabase({ owner: 'owner' });
    await expect(
      applyFiles(server, { database, user: 'owner', tenants: ['absent'] }, readManifest(root)),
    ).rejects.toThrow('tables/T.sql in absent: schema "absent" does not exist');
  });
});
