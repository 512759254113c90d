/**
 * A target in the middle of a working day, for the pictures of the README: 24 customers, events from the last minutes, a
 * rollout of a new column that has begun, a file that failed, a merge that fails, a few dead letters.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@cdc-migrations/postgres-fixture';

const ROOT = join(import.meta.dirname, '../..');
const CDC = join(ROOT, 'packages/cli/bin/cdc.js');
const DATABASE = 'directory';
const ROLLED_OUT = ['blue', 'bkai', 'avprod', 'osloprod'];

/**
 * Starts it. `cdc` runs a command in its implementation repo and returns what it prints, also if it ends with an error.
 *
 * @returns {Promise<{ root: string, cdc: (...args: string[]) => string, stop: () => Promise<void> }>}
 */
export async function startShowcase() {
  const server = await startPostgres({ major: 18 });
  await server.createDatabase({ name: DATABASE });
  const sql = server.connect({ database: DATABASE, max: 1, onnotice: () => {} });
  const root = mkdtempSync(join(tmpdir(), 'cdc-showcase-'));
  const env = {
    ...{ POSTGRES_PROD_HOST: server.host, POSTGRES_PROD_PORT: String(server.port) },
    ...{ POSTGRES_PROD_USER: 'postgres', POSTGRES_PROD_PASSWORD: server.password },
  };
  /** @param {string[]} args */
  const cdc = (...args) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [CDC, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      maxBuffer: Infinity,
    });
    if (status === null || status === 2) throw new Error(`${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  };
  const stop = async () => {
    await sql.end();
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  };
  try {
    copyRepo(root);
    cdc('apply', '--env', 'prod');
    await stageEvents(sql);
    cdc('merge', '--env', 'prod');
    await breakSome(sql);
    cdc('merge', '--env', 'prod');
    rollOut(root, cdc);
    return { root, cdc, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @param {string} root */
function copyRepo(root) {
  cpSync(join(ROOT, 'fixtures/adopus'), root, {
    recursive: true,
    filter: (path) => !/[\\/]\.cdc$/.test(path),
  });
  edit(root, 'sink-groups.yaml', /^( +)password: .*$/gm, '$&\n$1sslmode: disable');
  for (const args of [
    ['init', '-q'],
    ['add', '-A'],
    ['commit', '-qm', 'migrations'],
  ]) {
    spawnSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], { cwd: root });
  }
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string | RegExp} before
 * @param {string} after
 */
function edit(root, path, before, after) {
  const file = join(root, path);
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(before, after);
  if (changed === text) throw new Error(`${path}: expected ${before}`);
  writeFileSync(file, changed);
}

/**
 * An event of each table of each customer, some seconds to minutes old.
 *
 * @param {import('postgres').Sql} sql
 */
async function stageEvents(sql) {
  await sql.unsafe(`DO $$
DECLARE t record; keys text; vals text;
BEGIN
  FOR t IN SELECT n.nspname AS schema, substr(c.relname, 5) AS name, c.oid
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname LIKE 'stg\\_%' AND c.relkind = 'r' ORDER BY 1, 2
  LOOP
    SELECT string_agg(quote_ident(a.attname), ', '),
      string_agg(CASE WHEN a.atttypid::regtype::text = 'uuid' THEN quote_literal('0a827150-1332-5167-993b-68db156438cb')
        WHEN a.atttypid::regtype::text ~ 'int|numeric' THEN '1' ELSE quote_literal('2026-01-01') END, ', ')
    INTO keys, vals
    FROM pg_index i JOIN pg_class f ON f.oid = i.indrelid JOIN pg_namespace n ON n.oid = f.relnamespace
    JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = k.attname
    WHERE i.indisprimary AND n.nspname = t.schema AND f.relname = t.name;
    CONTINUE WHEN keys IS NULL;
    EXECUTE format('INSERT INTO %I.%I (%s, "__source_db", "__source_table", "__cdc_operation", "__kafka_partition",
      "__kafka_offset", "__source_ts_ms") VALUES (%s, ''AdOpus'', %L, ''d'', 0, 1, %s)', t.schema, 'stg_' || t.name, keys,
      vals, t.name, ((extract(epoch FROM clock_timestamp()) - 4 - abs(hashtext(t.schema || t.name)) % 40
        - CASE WHEN t.name = 'Rapporter' THEN 5400 WHEN t.name IN ('Stilling', 'Soknad') THEN 300 ELSE 0 END)
        * 1000)::bigint);
  END LOOP;
END $$`);
}

/**
 * Names that are too long, events that a server refused, and a trigger of users that makes a merge fail.
 *
 * @param {import('postgres').Sql} sql
 */
async function breakSome(sql) {
  /** @type {(schema: string, from: number, to: number, name: string) => Promise<unknown>} */
  const stage = (schema, from, to, name) =>
    sql.unsafe(`INSERT INTO ${schema}."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db",
      "__source_table", "__cdc_operation", "__kafka_partition", "__kafka_offset", "__source_ts_ms")
    SELECT n, ${name}, '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', 0, n,
      (extract(epoch FROM now()) - 3) * 1000 FROM generate_series(${from}, ${to}) AS n`);
  await stage('fretex', 2, 41, "'Nord ' || n");
  await stage('fretex', 42, 44, "repeat('x', 200)");
  await stage('keops', 2, 2, "repeat('x', 200)");
  await sql.unsafe(`CREATE FUNCTION podium.audit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit log is full' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER audit BEFORE INSERT ON podium."Distrikt" FOR EACH ROW EXECUTE FUNCTION podium.audit()`);
  await stage('podium', 2, 9, "'Sør ' || n");
  await sql.unsafe(`INSERT INTO cdc_management.refused_event (schema_name, table_name, topic, error)
    VALUES ('movia', 'Avtale', 'adopus.Movia.dbo.Avtale', 'invalid input syntax for type bigint: "12,5"')`);
  await sql.unsafe(`CREATE VIEW sens.regions AS SELECT "Navn" FROM sens."Region"`);
}

/**
 * A table gets a longer column, first at a few customers; at one a view is in the way.
 *
 * @param {string} root
 * @param {(...args: string[]) => string} cdc
 */
function rollOut(root, cdc) {
  edit(root, 'services/adopus.yaml', '[Døv, Fødeland]', '[Døv]');
  edit(
    root,
    'generated/schemas/AdOpusTest.dbo.yaml',
    /(\n {2}Region:[^]*?"Navn", "type": "nvarchar", "length": )60/,
    '$1120',
  );
  cdc('generate');
  cdc('apply', '--env', 'prod', '--schema', ...ROLLED_OUT, 'sens', '--on-error', 'continue');
}
