import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { renderInfrastructure, renderSchemas, renderTable } from '@cdc-migrations/ddl-render';
import { checksumOf } from '@cdc-migrations/generated-file';
import { type Major, type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { renderStaging } from '@cdc-migrations/staging-render';
import {
  buildManifest,
  locateTables,
  renderManifest,
  type ColumnDefinition,
  type MigrationSet,
  type ReplicatedTable,
  type UserCategory,
} from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';
import type { ApplyResult } from './apply/apply-event.ts';
import { applyMigrations, type ApplyOptions } from './apply/apply-migrations.ts';
import { checkTarget, type CheckOptions } from './check/check-target.ts';
import type { Difference } from './check/difference.ts';
import { readTarget } from './history/read-target.ts';
import { runMerges, type MergeOptions, type MergeResult } from './merge/run-merges.ts';
import type { Migrations } from './migrations/migrations.ts';
import { readMigrations } from './migrations/read-migrations.ts';
import { openSession, type Session, type TargetAddress } from './session/session.ts';
import { buildStatus, type Status } from './status/build-status.ts';
import { readConcerns, type Concerns } from './status/read-concerns.ts';

export const SET: MigrationSet = {
  name: 'sink_test.target',
  folder: 'migrations',
  pattern: 'db-per-tenant',
  sourceGroup: 'adopus',
  services: ['adopus'],
  literalSchemas: ['public'],
};

/** Customers. Each has a schema. */
export const TENANTS = ['avansas', 'blue'];

/** Value of `_customer_id` in staged events. */
export const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';

/** Builds a column of the source. */
export const column = (
  name: string,
  type: string,
  more: Partial<ColumnDefinition> = {},
): ColumnDefinition => ({
  ...{ name, role: 'source', type, nullable: true, exactness: 'exact' },
  ...more,
});

const key = (name: string) => column(name, 'integer', { nullable: false });
const CUSTOMER_ID = column('_customer_id', 'uuid', { role: 'template', nullable: false });

/** The table of most tests, with a key. */
export const ACTOR = buildTable({
  ...{ set: SET.name, name: 'Actor', key: ['actno'] },
  columns: [key('actno'), column('Navn', 'character varying(100)'), CUSTOMER_ID],
});
/** A table with soft deletes. */
export const FRAVER = buildTable({
  ...{ set: SET.name, name: 'Fraver', key: ['FraverId'], deleteMode: 'soft' },
  columns: [key('FraverId'), column('Kode', 'character varying(20)')],
});
/** A table without a key. */
export const REGION = buildTable({
  ...{ set: SET.name, name: 'Region', key: [] },
  columns: [column('Navn', 'character varying(50)')],
});
/** A table with rows of all customers. */
export const EVERYBODY = buildTable({
  ...{ set: SET.name, name: 'Everybody', key: ['_customer_id', 'actno'] },
  schema: { scope: 'literal', name: 'public' },
  columns: ACTOR.columns.filter(({ role }) => role !== 'metadata'),
});

/** Contents of a migration set. */
export interface SetContents {
  readonly tables?: readonly ReplicatedTable[];
  readonly tenants?: readonly string[];
  readonly role?: string;
  /** Hand-written files by path: `after/0010-view.sql`. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A migration set on disk. */
export interface WrittenSet {
  readonly root: string;
  read(): Migrations;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Writes the files of a set and its manifest, as `generate` does. */
export function writeSet({
  tables = [ACTOR, FRAVER, REGION],
  tenants = TENANTS,
  role = 'postgres',
  files = {},
}: SetContents = {}): WrittenSet {
  const root = mkdtempSync(join(tmpdir(), 'cdc-tracker-'));
  folders.push(root);
  const located = locateTables(SET, tables);
  const rendered = [
    renderSchemas(SET, tenants, role),
    renderInfrastructure(SET, role),
    ...tables.map((table, n) => renderTable(table, located[n]!.paths.tables)),
    ...tables.map((table, n) => renderStaging(table, { path: located[n]!.paths.staging, role })),
  ];
  const checksums = new Map(rendered.map(({ path, checksum }) => [path, checksum]));
  const userFiles = Object.keys(files)
    .sort()
    .map((path) => ({
      category: dirname(path) as UserCategory,
      path: `${SET.folder}/${path}`,
      text: files[path]!,
      checksum: checksumOf(files[path]!),
    }));
  const manifest = buildManifest(SET, located, {
    ...{ role, userFiles, checksumOf: (path: string) => checksums.get(path)! },
  });
  for (const { path, text } of [...rendered, ...userFiles, renderManifest(manifest, SET)]) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, read: () => readMigrations(root, SET, { tables, tenants }) };
}

/** Writes a set and reads it. */
export function buildMigrations(contents?: SetContents): Migrations {
  return writeSet(contents).read();
}

/** A server with a database that can be restored to an earlier state. */
export interface Target {
  readonly server: PostgresServer;
  readonly database: string;
  readonly address: TargetAddress;
  query<Row = Record<string, unknown>>(text: string): Promise<readonly Row[]>;
  /** Opens another session that `stop` closes. */
  connect(application?: string): ReturnType<PostgresServer['connect']>;
  withSession<Result>(work: (session: Session) => Promise<Result>): Promise<Result>;
  apply(migrations: Migrations, options?: Partial<ApplyOptions>): Promise<ApplyResult>;
  check(migrations: Migrations, options?: Partial<CheckOptions>): Promise<readonly Difference[]>;
  status(migrations: Migrations): Promise<Status>;
  merge(options?: MergeOptions): Promise<MergeResult>;
  concerns(): Promise<Concerns>;
  /** Records the state for `reset`. */
  save(): Promise<void>;
  reset(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server with an empty database. */
export async function startTarget(
  major: Major = 15,
  settings: Readonly<Record<string, string>> = {},
): Promise<Target> {
  const server = await startPostgres({ major, settings });
  return { ...(await openTarget(server)), stop: () => server.stop() };
}

/** Creates an empty database on a server. Stopping the target keeps the server. */
export async function openTarget(server: PostgresServer): Promise<Target> {
  const { host, port, password } = server;
  const database = await server.createDatabase();
  let template = database;
  const address: TargetAddress = {
    server: { name: 'test', host, port, user: 'postgres', password, sslmode: 'disable' },
    database,
  };
  const connect = (application_name = 'test') =>
    server.connect({
      ...{ database, max: 1, fetch_types: false, onnotice: () => {} },
      connection: { application_name },
    });
  const query: Target['query'] = async (text) => {
    const sql = connect();
    try {
      return (await sql.unsafe(text).simple()) as never;
    } finally {
      await sql.end();
    }
  };
  const withSession: Target['withSession'] = async (work) => {
    const session = openSession(address, 'test');
    try {
      return await work(session);
    } finally {
      await session.close();
    }
  };
  return {
    ...{ server, database, address, query, connect, withSession },
    apply: (migrations, options) =>
      applyMigrations(address, migrations, { tenants: TENANTS, ...options }),
    check: (migrations, options) =>
      withSession((session) => checkTarget(session, migrations, { tenants: TENANTS, ...options })),
    status: (migrations) =>
      withSession(async (session) =>
        buildStatus(migrations, await readTarget(session, migrations), { tenants: TENANTS }),
      ),
    merge: (options) => runMerges(address, options),
    concerns: () => withSession(readConcerns),
    async save() {
      template = await server.createDatabase({ template: database });
    },
    async reset() {
      const sql = server.connect({ max: 1, onnotice: () => {} });
      await sql.unsafe(`DROP DATABASE "${database}" WITH (FORCE)`);
      await sql.unsafe(`CREATE DATABASE "${database}" TEMPLATE "${template}"`);
      await sql.end();
      // The copy represents the original database, which has lost no event.
      await query(
        'UPDATE cdc_management.crash_watch SET identity = cdc_management.server_identity()',
      );
    },
    stop: async () => {},
  };
}

/** Events of one partition. Keys run from the first to the last, offsets from `at`. */
export interface Staged {
  readonly schema?: string;
  readonly table?: string;
  readonly keys: readonly [number, number];
  /** Offset of the first event. The default is the first key. */
  readonly at?: number;
  readonly operation?: string;
  readonly generation?: number;
  readonly partition?: number | string;
  readonly customer?: string;
  /** SQL of the name. `n` is the key. */
  readonly name?: string;
  readonly source?: string;
}

/** Renders an INSERT of events of `Actor`, or of a table with its columns. */
export function stage({ schema = 'blue', table = 'Actor', keys: [first, last], ...of }: Staged) {
  const { at = first, operation = 'c', generation = 0, partition = 0 } = of;
  const { customer = CUSTOMER, name = "'navn'", source = 'AdOpus' } = of;
  return `INSERT INTO "${schema}"."stg_${table}" ("actno", "Navn", "_customer_id", "__source_db", "__source_table",
    "__cdc_operation", "__kafka_partition", "__kafka_offset", "__stream_generation")
  SELECT n, ${name}, '${customer}', '${source}', 'Actor', '${operation}', ${partition}, ${at} + n - ${first}, ${generation}
  FROM pg_catalog.generate_series(${first}, ${last}) AS n`;
}
