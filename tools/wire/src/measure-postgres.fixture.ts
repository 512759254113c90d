import { startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import type { Sql } from 'postgres';
import { startConnectWorker } from './connect-worker.ts';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.ts';
import { TYPES_OF_SOURCE } from './sent-by-postgres.ts';
import {
  differingModes,
  foldSent,
  type Sent,
  type SentValue,
  type Setting,
  settingOf,
  SETTINGS,
} from './sent-value.ts';

/** Values to measure as SQL, with the type of their column. */
export type Input = Pick<SentValue, 'type' | 'value'>;

/** Events of an UPDATE that does not change large values: what the connector sends for each column, by setting. */
export type Unavailable = Readonly<Record<string, Sent>>;

export interface Measured {
  readonly values: SentValue[];
  readonly unavailable: Unavailable;
  /** Schemas of the values in Kafka Connect by type and setting, as JDBC sinks read them. */
  readonly schemas: Readonly<Record<string, Sent>>;
}

/** Each connector uses another mode of each setting, so that all modes are covered. */
const CONNECTORS = SETTINGS['time.precision.mode'].map((_, index) => ({
  name: `mode${index}`,
  settings: Object.fromEntries(
    Object.entries(SETTINGS).map(([setting, modes]) => [setting, modes[index % modes.length]!]),
  ) as Record<Setting, string>,
}));

/** Offset of row ids: it shows which value of its table a row has, and how it was sent. */
const STREAMED = 10_000;
const NOT_NULL = 20_000;

/**
 * Inserts the values into a source, before and after the connectors start, and reads their events. Takes minutes.
 *
 * A NOT NULL column whose value cannot be sent stops a connector. Here it continues without the event.
 */
export async function measurePostgres(
  inputs: readonly Input[],
  large: Readonly<Record<string, string>>,
): Promise<Measured> {
  const server = await startDebianPostgres({ settings: { wal_level: 'logical' } });
  const broker = await startKafkaBroker();
  try {
    const sql = server.connect({ max: 1, onnotice: () => {} });
    await sql.unsafe(TYPES_OF_SOURCE).simple();
    await sql`CREATE PUBLICATION dbz FOR ALL TABLES`;
    const types = [...new Set(inputs.map(({ type }) => type))];
    for (const [index, type] of types.entries()) {
      await sql.unsafe(`
        CREATE TABLE v${index} (id int PRIMARY KEY, v ${type});
        CREATE TABLE n${index} (id int PRIMARY KEY, v ${type} NOT NULL)`);
    }
    const insert = async (prefix: string, first: number) => {
      for (const [index, { type, value }] of inputs.entries()) {
        if (prefix === 'n' && value === 'NULL') continue;
        const table = `${prefix}${types.indexOf(type)}`;
        await sql.unsafe(`INSERT INTO ${table} VALUES (${first + index}, ${value})`);
      }
    };
    await insert('v', 0);
    await createLarge(sql, large);
    const worker = await startConnectWorker({
      broker: broker.address,
      connectors: CONNECTORS.map(({ name, settings }) => ({
        name,
        config: {
          'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
          'database.hostname': server.host,
          'database.port': String(server.port),
          'database.user': 'postgres',
          'database.password': server.password,
          'database.dbname': 'postgres',
          'topic.prefix': name,
          'plugin.name': 'pgoutput',
          'slot.name': name,
          'publication.name': 'dbz',
          'publication.autocreate.mode': 'disabled',
          'event.processing.failure.handling.mode': 'warn',
          transforms: 'unwrap,route',
          'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
          'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
          'transforms.route.regex': '.*',
          'transforms.route.replacement': name,
          'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
          'value.converter.schemas.enable': 'true',
          ...settings,
        },
      })),
    });
    try {
      await waitForId(broker, LARGE_ID);
      await insert('v', STREAMED);
      await insert('n', NOT_NULL);
      await sql`UPDATE large SET n = 2`;
      await waitForId(broker, LARGE_ID, '"n":2');
      const sent = await readSent(broker);
      return {
        values: inputs.map((input, index) => describeValue(input, index, sent)),
        unavailable: describeUnavailable(Object.keys(large), sent),
        schemas: Object.fromEntries(
          types.flatMap((type) => {
            const index = inputs.findIndex((input) => input.type === type);
            const schema = readSchemas(sent, index + STREAMED, settingOf(type));
            return Object.keys(schema).length === 0 ? [] : [[type, schema]];
          }),
        ),
      };
    } finally {
      await worker.stop();
    }
  } finally {
    await broker.stop();
    await server.stop();
  }
}

const LARGE_ID = 99_999;

/** Creates a row with values that are stored out of line, so that an UPDATE of another column does not log them. */
async function createLarge(sql: Sql, large: Readonly<Record<string, string>>): Promise<void> {
  const columns = Object.entries(large).map(([type, value], index) => ({
    type,
    value,
    name: `c${index}`,
  }));
  const declared = columns.map(({ name, type }) => `${name} ${type}`);
  await sql.unsafe(`CREATE TABLE large (id int PRIMARY KEY, n int, ${declared.join()})`);
  for (const { name } of columns) {
    await sql.unsafe(`ALTER TABLE large ALTER COLUMN ${name} SET STORAGE EXTERNAL`);
  }
  const values = columns.map(({ value }) => value);
  await sql.unsafe(`INSERT INTO large SELECT ${LARGE_ID}, 1, ${values.join()}
    FROM (SELECT string_agg(md5(i::text), '') AS s FROM generate_series(1, 1000) i) q`);
}

/** The last event of a row as JSON text, by connector and id. */
type Events = ReadonlyMap<string, ReadonlyMap<number, Event>>;

interface Event {
  readonly schema: { readonly fields: readonly ConnectSchema[] };
  readonly payload: string;
}

/** A schema in the form of Kafka Connect's JSON converter. */
interface ConnectSchema {
  readonly field?: string;
  readonly type: string;
  readonly name?: string;
  readonly items?: ConnectSchema;
  readonly parameters?: Readonly<Record<string, string>>;
}

async function readSent(broker: KafkaBroker): Promise<Events> {
  const byConnector = new Map<string, Map<number, Event>>();
  for (const { name } of CONNECTORS) {
    const records = await broker.read(name);
    const events = records.flatMap(({ value }) =>
      value === null ? [] : [readEvent(String(value))],
    );
    byConnector.set(name, new Map(events.map((event) => [readId(event.payload), event])));
  }
  return byConnector;
}

/** Reads an event. The payload stays text, because its numbers can exceed JavaScript's. */
function readEvent(text: string): Event {
  const { schema } = JSON.parse(text) as Pick<Event, 'schema'>;
  const start = text.indexOf(PAYLOAD) + PAYLOAD.length;
  return { schema, payload: text.slice(start, -1) };
}

const PAYLOAD = ',"payload":';

function readId(text: string): number {
  return Number(/^\{"id":(\d+)/.exec(text)?.[1]);
}

async function waitForId(broker: KafkaBroker, id: number, part = ''): Promise<void> {
  for (
    const isThere = (events: ReadonlyMap<number, Event>) => events.get(id)?.payload.includes(part);
    ;
  ) {
    const sent = await readSent(broker);
    if ([...sent.values()].every(isThere)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function describeValue(input: Input, index: number, events: Events): SentValue {
  const setting = settingOf(input.type);
  const sends = readModes(events, index + STREAMED, setting);
  const snapshot = differingModes(sends, readModes(events, index, setting));
  const notNull = differingModes(sends, readModes(events, index + NOT_NULL, setting, 'fails'));
  return {
    ...input,
    ...(setting && { setting }),
    sends,
    ...(snapshot && { snapshot }),
    ...(notNull && input.value !== 'NULL' && { notNull }),
  };
}

/** Returns the text of the column `v` in each mode, or `missing` without an event. */
function readModes(events: Events, id: number, setting?: Setting, missing = 'no event'): Sent {
  const modes: Record<string, string> = {};
  for (const { name, settings } of CONNECTORS) {
    const text = events.get(name)?.get(id)?.payload;
    const mode = setting ? settings[setting] : name;
    const value = text === undefined ? missing : text.slice(`{"id":${id},"v":`.length, -1);
    if (value === '') continue;
    // Java's default text of an object differs each time.
    const stable = value.replaceAll(/@[0-9a-f]{5,8}\b/g, '@…');
    if (setting && modes[mode] !== undefined && modes[mode] !== stable) {
      throw new Error(`${id}: ${setting} ${mode} gives ${modes[mode]} and ${stable}`);
    }
    modes[mode] = stable;
  }
  return foldSent(modes);
}

function readSchemas(events: Events, id: number, setting?: Setting): Sent {
  const modes = CONNECTORS.flatMap(({ name, settings }): [string, string][] => {
    const schema = events
      .get(name)
      ?.get(id)
      ?.schema.fields.find(({ field }) => field === 'v');
    return schema ? [[setting ? settings[setting] : name, describeSchema(schema)]] : [];
  });
  return foldSent(Object.fromEntries(modes));
}

/**
 * Describes a schema: `bytes org.apache.kafka.connect.data.Decimal scale=3`, `array of int32 io.debezium.time.Date`.
 */
function describeSchema({ type, name, items, parameters = {} }: ConnectSchema): string {
  if (items) return `array of ${describeSchema(items)}`;
  const facets = ['scale', 'length'].flatMap((facet) =>
    parameters[facet] === undefined ? [] : [`${facet}=${parameters[facet]}`],
  );
  return [type, ...(name === undefined ? [] : [name]), ...facets].join(' ');
}

function describeUnavailable(types: readonly string[], events: Events): Unavailable {
  const rows = CONNECTORS.map(({ name, settings }) => ({
    settings,
    row: JSON.parse(events.get(name)?.get(LARGE_ID)?.payload ?? '{}') as Record<string, unknown>,
  }));
  return Object.fromEntries(
    types.map((type, index) => {
      const setting = settingOf(type);
      const modes = rows.map(({ settings, row }, connector): [string, string] => [
        setting ? settings[setting] : `mode${connector}`,
        JSON.stringify(row[`c${index}`]),
      ]);
      return [type, foldSent(Object.fromEntries(modes))];
    }),
  );
}
