import type { CatalogTable } from '@cdc-migrations/catalog';
import { createRandom, type Random } from '@cdc-migrations/event-model';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import { retry } from './asma-pipeline.fixture.ts';
import { catalogs, SERVICES } from './asma.fixture.ts';
import { canBeLarge, type ChangedTable, renderChanges } from './change-source.fixture.ts';

const STATEMENTS = 25;
const LARGE_CHANCE = 0.03;
/** Numbers of rows that updates and deletes choose from: often a few keys, sometimes many. */
const PICKED = [5, 50, 500, 5000];

/**
 * Query for the rows that the transaction has changed. Changes of earlier transactions have been flushed to other
 * counters.
 */
const COUNT = `
  SELECT pg_stat_force_next_flush();
  SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::integer AS rows FROM pg_stat_xact_user_tables`;

/** Column that is added to the sources while everything is running. */
export const ADDED = 'Ny kolonne';

/** Changes to all tables of all sources. */
export interface AsmaTraffic {
  /** Number of inserted, updated and deleted rows. */
  readonly changes: number;
  /** Sessions in the sources, by database. */
  readonly sources: ReadonlyMap<string, Sql>;
  /** Makes about this many changes in all sources in parallel, despite restarts. */
  write(changes: number): Promise<void>;
  addColumns(): Promise<void>;
  /** Makes the last change in each source. Returns the ids by table. */
  writeLast(): Promise<ReadonlyMap<string, string>>;
}

interface Writer {
  readonly sql: Sql;
  readonly random: Random;
  readonly tables: (ChangedTable & { readonly isFull: boolean })[];
}

export async function openAsmaTraffic(server: PostgresServer, seed: number): Promise<AsmaTraffic> {
  const writers = new Map<string, Writer>();
  for (const [index, service] of SERVICES.entries()) {
    const database = `${service}_dev`;
    const sql = server.connect({
      ...{ database, max: 1, fetch_types: false, onnotice: () => {} },
      connection: { session_replication_role: 'replica' }, // disables foreign keys
    });
    const random = createRandom(seed + index);
    writers.set(database, { sql, random, tables: await prepareTables(sql, database, random) });
  }
  const sources = new Map([...writers].map(([database, { sql }]) => [database, sql]));
  let changes = 0;

  const write = async ({ sql, random, tables }: Writer, wanted: number): Promise<void> => {
    for (let made = 0; made < wanted;) {
      const table = random.pick(tables);
      const traffic = {
        ...{ statements: STATEMENTS, picked: random.pick(PICKED), largeChance: LARGE_CHANCE },
        changesKeys: table.isFull || !hasLarge(table.table),
      };
      const text = renderChanges(table, random.integer(0, 2 ** 30), traffic);
      const results = await retry(() => sql.unsafe(`${text};\n${COUNT}`).simple());
      const [row] = results.at(-1) as unknown as readonly [{ readonly rows: number }];
      made += row.rows;
      changes += row.rows;
    }
  };
  return {
    sources,
    get changes() {
      return changes;
    },
    async write(wanted) {
      const each = Math.ceil(wanted / writers.size);
      await Promise.all([...writers.values()].map((writer) => write(writer, each)));
    },
    async addColumns() {
      for (const { sql, tables } of writers.values()) {
        for (const [index, { name, table, ...rest }] of tables.entries()) {
          await sql.unsafe(`ALTER TABLE ${name} ADD COLUMN ${quoteIdentifier(ADDED)} text`);
          const column = { name: ADDED, type: 'text', nullable: true } as const;
          const columns = [...table.columns, column];
          tables[index] = { name, table: { ...table, columns }, ...rest };
        }
      }
    },
    async writeLast() {
      const id = '00000000-0000-4000-8000-000000000000';
      await sources.get('chat_dev')!`INSERT INTO rooms (id, customer_id) VALUES (${id}, ${id})`;
      await sources.get('directory_dev')!`
        INSERT INTO customers (customer_id, name) VALUES (${id}, 'last')`;
      await sources.get('proxy_dev')!`
        INSERT INTO route_headers (route_id, name, customer_id) VALUES (0, ${id}, ${id})`;
      changes += 3;
      return new Map([
        ['chat.rooms', `id = '${id}'`],
        ['directory.customers', `customer_id = '${id}'`],
        ['proxy.route_headers', `name = '${id}'`],
      ]);
    },
  };
}

/** Sets half of the tables to log complete old rows, so that nothing is omitted and all keys can change. */
async function prepareTables(
  sql: Sql,
  database: string,
  random: Random,
): Promise<Writer['tables']> {
  const enums = await sql<{ name: string; labels: string[] }[]>`
    SELECT enumtypid::regtype::text AS name, json_agg(enumlabel) AS labels FROM pg_enum GROUP BY 1`;
  const labels = new Map(enums.map(({ name, labels: all }) => [`public.${name}`, all]));
  const tables: Writer['tables'] = [];
  for (const { schema, tables: all } of catalogs.filter((found) => found.database === database)) {
    for (const table of all) {
      const name = quoteQualified(schema, table.name);
      const isFull = random.chance(0.5);
      if (isFull) await sql.unsafe(`ALTER TABLE ${name} REPLICA IDENTITY FULL`);
      tables.push({ name, table, labels, isFull });
    }
  }
  return tables;
}

/** Checks for large values. A new key without the large values of its row could not be completed. */
function hasLarge({ columns }: CatalogTable): boolean {
  return columns.some(canBeLarge);
}
