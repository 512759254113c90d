import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
} from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { readManifest } from './read-manifest.ts';

const PSQL = '/usr/lib/postgresql/15/bin/psql';
const CLI = join(__dirname, '../../../packages/cli');
const MARK = 'mark';
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';

/** Texts with a special meaning in psql and PostgreSQL if the quotes around them could be closed. */
const NAMES = [
  `\\! touch ${MARK}`,
  `'; \\! touch ${MARK} --`,
  `"; \\! touch ${MARK} --`,
  `$columns$; \\! touch ${MARK}`,
  ...['\\', 'a\\', `\\'`, `E'\\'`, `\\"`, `''`, '"', '""', `'"'`],
  ...['--', '/*', '*/', '$$', '$merge$', '$write$', '$columns$', '$columns_1$', '$guard$'],
  ...[
    ':HOME',
    ":'HOME'",
    ':"HOME"',
    `\`touch ${MARK}\``,
    '%s',
    '%I',
    '%',
    '${HOME}',
    '$1',
    '?',
    '?-',
  ],
  ...['); DROP SCHEMA cdc_management CASCADE; --', '{{x}}', '{{{x}}}', '{{#if x}}', ' ', '[a]'],
];

/** Each table has all these names as columns. */
const TABLES = NAMES.slice(0, 12);

describeDebian('names of a source in files that psql runs', () => {
  let server: PostgresServer;
  let root: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'cdc-psql-'));
    cpSync(join(CLI, 'cases/_base'), root, { recursive: true });
    const columns = (first: string) =>
      [first, ...NAMES]
        .map(
          (name) =>
            `      - { name: ${JSON.stringify(name)}, type: nvarchar, length: 50, nullable: ${name !== first && name !== NAMES[0]} }\n`,
        )
        .join('');
    const tables = TABLES.map(
      (name) =>
        `  ${JSON.stringify(name)}:\n    columns:\n${columns('id')}` +
        `    primary_key: { name: PK, columns: [id, ${JSON.stringify(NAMES[0])}] }\n`,
    );
    writeFileSync(
      join(root, SNAPSHOT),
      `database: AdOpusTest\nschema: dbo\ntype: mssql\npattern: db-per-tenant\ntables:\n${tables.join('')}`,
    );
    const list = (indent: string, row: (name: string) => string) =>
      TABLES.map((name) => `${indent}${row(name)}\n`).join('');
    writeFileSync(
      join(root, 'services/adopus.yaml'),
      `adopus:\n  source:\n    validation_database: AdOpusTest\n    validation_env: nonprod\n    tables:\n` +
        list('      ', (name) => `${JSON.stringify(`dbo.${name}`)}: {}`) +
        `  sinks:\n    sink_asma.directory:\n      tables:\n` +
        list(
          '        ',
          (name) =>
            `${JSON.stringify(`adopus.${name}`)}: { from: ${JSON.stringify(`dbo.${name}`)}, delete_mode: soft }`,
        ),
    );
    execFileSync(process.execPath, [
      join(CLI, 'bin/cdc.js'),
      'manage-migrations',
      '--root',
      root,
      'generate',
    ]);
    server = await startDebianPostgres();
  });

  afterAll(async () => {
    rmSync(root, { recursive: true });
    await server?.stop();
  });

  /** Applies all files as documented. */
  function applyWithPsql(database: string, options: string): void {
    for (const { path, scope, text } of readManifest(root)) {
      const args = ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-f', '-'];
      const { status, stderr } = spawnSync(PSQL, args, {
        cwd: root,
        input: scope === 'tenant' ? text.replaceAll('{{SCHEMA}}', 'blue') : text,
        encoding: 'utf8',
        env: {
          ...{ PATH: process.env['PATH'], HOME: '/root', PGHOST: '127.0.0.1', PGUSER: 'postgres' },
          ...{ PGPORT: String(server.port), PGPASSWORD: server.password, PGDATABASE: database },
          ...{ PGOPTIONS: options },
        },
      });
      expect([path, status, stderr]).toEqual([path, 0, expect.not.stringContaining('ERROR')]);
    }
  }

  it.each(['on', 'off'])(
    'are not interpreted with standard_conforming_strings = %s',
    async (setting) => {
      const database = await server.createDatabase();
      applyWithPsql(database, `-c standard_conforming_strings=${setting}`);
      applyWithPsql(database, `-c standard_conforming_strings=${setting}`);
      expect(readdirSync(root)).not.toContain(MARK);
      const sql: Sql = server.connect({ database, max: 1, onnotice: () => {} });
      const tables = await sql<{ name: string }[]>`
      SELECT relname AS name FROM pg_class WHERE relnamespace = 'blue'::regnamespace AND relkind = 'r'`;
      expect(tables.map(({ name }) => name).sort()).toEqual(
        TABLES.flatMap((name) => [name, `stg_${name}`]).sort(),
      );
      for (const name of TABLES) {
        const columns = await sql<{ name: string }[]>`
        SELECT attname AS name FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        WHERE relnamespace = 'blue'::regnamespace AND relname = ${name} AND attnum > 0 AND attname !~ '^__'`;
        expect(columns.map((column) => column.name).sort()).toEqual(['id', ...NAMES].sort());
        const event = Object.fromEntries(
          ['id', ...NAMES].map((column) => [column, `of ${column}`]),
        );
        const position = {
          __source_db: 'd',
          __source_table: name,
          __kafka_partition: '0',
          __kafka_offset: '0',
          __cdc_operation: 'c',
        };
        await sql`INSERT INTO blue.${sql(`stg_${name}`)} ${sql({ ...event, ...position })}`;
      }
      await sql.unsafe('CALL cdc_management.run_pending_merges()');
      for (const name of TABLES) {
        const [row] = await sql`SELECT * FROM blue.${sql(name)}`;
        expect([name, row?.['id'], row?.[NAMES[1]!]]).toEqual([name, 'of id', `of ${NAMES[1]}`]);
      }
      expect(await sql`SELECT reason FROM cdc_management.dead_letter`).toEqual([]);
      await sql.end();
    },
  );
});
