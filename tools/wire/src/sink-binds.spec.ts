import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';
import { SCHEMAS_IN_POSTGRES, SENT_BY_POSTGRES, TYPES_OF_SOURCE } from './sent-by-postgres.ts';
import type { SentValue } from './sent-value.ts';
import { bindAsConfluent, bindAsDebezium, type SentField, type Sink } from './sink-binds.ts';
import { type JdbcBind, startJdbcWriter, type Writer } from './writers.ts';

const SINKS: Readonly<Record<string, Sink>> = {
  debezium: bindAsDebezium,
  confluent: bindAsConfluent,
};

/** Inexact values by sink, type and mode, in a column of the source's own type. */
const EXPECTED = join(__dirname, '../data/sinks-on-native-columns.txt');
const ACTUAL = join(__dirname, '../../../tmp/wire-sinks/sinks-on-native-columns.txt');

describeWire("JDBC sinks on columns of the source's own types", () => {
  let server: PostgresServer;
  let sql: Sql;
  let writer: Writer<JdbcBind>;

  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    sql = server.connect({ max: 1, onnotice: () => {} });
    await sql.unsafe(TYPES_OF_SOURCE).simple();
    const target = { port: server.port, database: 'postgres', user: 'postgres' };
    writer = await startJdbcWriter({ ...target, password: server.password });
  }, BUILT_WITHIN_MS);

  afterAll(async () => {
    await writer?.stop();
    await server?.stop();
  });

  it('store, change or refuse each value as the expected list says', async () => {
    const outcomes = new Map<string, string[]>();
    let cases = 0;
    for (const row of SENT_BY_POSTGRES) {
      await sql.unsafe(`CREATE TABLE native (v ${row.type}, source bool)`);
      await sql.unsafe(`INSERT INTO native VALUES (${row.value}, true)`);
      for (const [mode, field] of listFields(row)) {
        for (const [name, sink] of Object.entries(SINKS)) {
          const group = `${name} ${row.type} ${mode}`;
          const outcome = await write(sink, field);
          outcomes.set(group, [...(outcomes.get(group) ?? []), `${row.value}: ${outcome}`]);
          cases++;
        }
      }
      await sql`DROP TABLE native`;
    }
    const actual = [...outcomes].map(([group, lines]) => describeGroup(group, lines)).join('');
    mkdirSync(join(ACTUAL, '..'), { recursive: true });
    writeFileSync(ACTUAL, actual);
    expect(actual).toBe(readFileSync(EXPECTED, 'utf8'));
    expect(cases).toBeGreaterThan(900);
  }, 400_000);

  async function write(sink: Sink, field: SentField): Promise<string> {
    await sql`DELETE FROM native WHERE source IS NULL`;
    const bound = attempt(() => sink(field));
    if (bound instanceof Error) return `refused by the sink (${bound.message})`;
    const { bind, cast } = bound;
    const insert = { schema: 'public', table: 'native', columns: ['v'], rows: [[bind]] };
    const answer = await writer.insert({ ...insert, ...(cast && { casts: { v: cast } }) });
    if (!answer.ok) return `refused ${answer.sqlstate ?? answer.message}`;
    const stored = await sql`SELECT v::text FROM native ORDER BY source`;
    const [source, written] = stored.map(({ v }) => v as string | null);
    return source === written ? 'exact' : `changed to ${written === null ? 'NULL' : written}`;
  }
});

/** Lists the field of a sink in each mode. Returns an empty list if the connector omits the column. */
function listFields({ type, sends }: SentValue): [mode: string, field: SentField][] {
  const schemas = SCHEMAS_IN_POSTGRES[type] ?? {};
  const column = type.replace(/\(.*\)/, '');
  const modes = new Set([...Object.keys(sends), ...Object.keys(schemas)]);
  if (modes.size > 1) modes.delete('any');
  return [...modes].flatMap((mode): [string, SentField][] => {
    const json = sends[mode] ?? sends['any'];
    const schema = schemas[mode] ?? schemas['any'];
    return json === undefined || schema === undefined ? [] : [[mode, { schema, json, column }]];
  });
}

function attempt<Result>(work: () => Result): Result | Error {
  try {
    return work();
  } catch (error) {
    return error as Error;
  }
}

/** Describes a group in one line if all values have the same result, else with a line for each inexact value. */
function describeGroup(group: string, lines: readonly string[]): string {
  const outcomes = new Set(lines.map((line) => line.slice(line.lastIndexOf(': ') + 2)));
  const [only] = outcomes;
  if (outcomes.size === 1 && !only?.startsWith('changed')) return `${group}: ${only}\n`;
  const others = lines.filter((line) => !line.endsWith(': exact'));
  return `${group}:\n${others.map((line) => `  ${line}\n`).join('')}`;
}
