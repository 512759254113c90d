import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { type AppliedFile, applyFiles } from './apply-files.ts';
import { compareStructure } from './compare-structure.ts';
import { readAdopus } from './read-repo.ts';
import { renderMigrations } from './render-migrations.ts';
import { readManifest } from './read-manifest.ts';
import { type RelationStructure, readStructure } from './read-structure.ts';

const OWNER = 'migrator';
const MANAGEMENT = 'cdc_management';
const { root, set, tables, tenants } = readAdopus();
const files = readManifest(root);
/** Tenants that the files are applied to twice. */
const TWICE = tenants.slice(0, 3);

describe.each([15, 18] as const)('the migrations of adopus on PostgreSQL %i', (major) => {
  let server: PostgresServer;
  let database: string;
  let first: readonly AppliedFile[];
  let second: readonly AppliedFile[];
  let relations: readonly RelationStructure[];

  beforeAll(async () => {
    server = await startPostgres({ major });
    await server.createRole(OWNER);
    database = await server.createDatabase({ owner: OWNER });
    const sql = server.connect({ database, user: OWNER, max: 1 });
    await sql.unsafe(readFileSync(join(root, 'existing/directory.sql'), 'utf8')).simple();
    first = await applyFiles(server, { database, user: OWNER, tenants }, files);
    second = await applyFiles(server, { database, user: OWNER, tenants: TWICE }, files);
    const schemas = await sql<{ name: string }[]>`
      SELECT nspname AS name FROM pg_catalog.pg_namespace
      WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`;
    relations = await readStructure(
      sql,
      schemas.map(({ name }) => name),
    );
  });
  afterAll(() => server.stop());

  it('are applied to every schema by a role that only owns the database', () => {
    const perTenant = files.filter(({ scope }) => scope === 'tenant').length;
    expect(tenants).toHaveLength(26);
    expect(tables).toHaveLength(39);
    expect(perTenant).toBe(2 * 39);
    expect(first).toHaveLength(files.length - perTenant + 26 * perTenant);
    expect(second).toHaveLength(files.length - perTenant + TWICE.length * perTenant);
  });

  it('raise no warnings the first time', () => {
    const warnings = first.flatMap(({ path, schema, notices }) =>
      notices
        .filter(({ severity }) => !['NOTICE', 'INFO', 'LOG', 'DEBUG'].includes(severity ?? ''))
        .map(({ message }) => `${path} ${schema}: ${message}`),
    );
    expect(warnings).toEqual([]);
  });

  it('raise no notices the second time', () => {
    const notices = second.flatMap(({ path, schema, notices: raised }) =>
      raised.map(({ message }) => `${path} ${schema}: ${message}`),
    );
    expect(notices).toEqual([]);
  });

  it('create every final table of every tenant as it is defined', () => {
    const differences = tenants.flatMap((tenant) =>
      tables.flatMap((table) => {
        const found = relations.find(
          ({ schema, name }) => schema === tenant && name === table.name,
        );
        return found ? compareStructure(table, found) : [`${tenant}.${table.name} is missing`];
      }),
    );
    expect(differences).toEqual([]);
  });

  it('create staging tables with a trigger that accept any event', () => {
    const staging = relations.filter(({ name }) => tables.some((t) => t.names.staging === name));
    expect(staging).toHaveLength(26 * 39);
    const strict = staging.filter(
      ({ persistence, columns, indexes, primaryKey, triggers }) =>
        persistence !== 'unlogged' ||
        primaryKey !== null ||
        indexes.length > 0 ||
        triggers.length !== 1 ||
        columns.some(({ nullable, type }) => !nullable || /^[^(]*\([0-9,]+\)/.test(type)),
    );
    expect(strict.map(({ schema, name }) => `${schema}.${name}`)).toEqual([]);
  });

  it('create only final and staging tables in the schemas of tenants', () => {
    const expected = tables.flatMap(({ name, names }) => [name, names.staging]).sort();
    for (const tenant of tenants) {
      const found = relations.filter(({ schema }) => schema === tenant);
      expect(found.map(({ name }) => name).sort()).toEqual(expected);
      expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['table']));
    }
  });

  it('create everything else in cdc_management, and keep the existing tables', () => {
    const others = relations.filter(({ schema }) => !tenants.includes(schema));
    expect(new Set(others.map(({ schema }) => schema))).toEqual(new Set(['public', MANAGEMENT]));
    const existing = others.filter(({ schema }) => schema === 'public').map(({ name }) => name);
    expect(existing).toEqual(['adopus_AdgangLinjer', 'customer_user']);
  });

  it('are refused with one error if the role of the sink does not exist', async () => {
    const migrations = renderMigrations({ set, tables, tenants, role: 'nobody here' });
    const empty = await server.createDatabase({ owner: OWNER });
    await expect(
      applyFiles(server, { database: empty, user: OWNER, tenants }, migrations),
    ).rejects.toThrow('create-schemas.sql: role "nobody here" does not exist');
  });
});
