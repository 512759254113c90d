import type { SourceGroup } from '@cdc-migrations/config';
import type { EventSettings } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import { cutVariables } from './connect-variables.ts';
import type { Feed, Flow, FlowTable } from './plan-flows.ts';
import { escape } from './render-jdbc-sink.ts';
import { carrierName, connectorName, connectorPrefix, topicPrefix } from './topics.ts';

type Settings = Readonly<Record<string, string>>;

export interface SourceConnector {
  /** Folder `<source group>/<environment>`. */
  readonly folder: string;
  readonly name: string;
  /** Databases of the connector. */
  readonly source: string;
  readonly settings: Settings;
}

/** A reader of a source and all flows that use its events. */
interface Reader {
  readonly flow: Flow;
  readonly feeds: Feed[];
  readonly tables: FlowTable[];
}

/**
 * Builds the Debezium connectors of all sources: one for each SQL Server with the databases of its customers, and one
 * for each PostgreSQL database. Several sinks share the connector of a source.
 *
 * @throws CommandError if two sinks want events of one table in different formats
 */
export function sourceConnectors(
  groups: readonly SourceGroup[],
  flows: readonly Flow[],
): readonly SourceConnector[] {
  const readers = new Map<string, Reader>();
  for (const flow of flows) {
    const tables = flow.tables.filter(
      ({ events, table }) => events.time !== 'rfc3339' && table.positions !== 'lsn',
    );
    if (tables.length === 0) continue;
    for (const feed of flow.feeds) {
      const name = connectorName(flow.group, feed);
      const key = JSON.stringify([flow.group.name, feed.env, name]);
      const reader = readers.get(key) ?? { flow, feeds: [], tables: [] };
      readers.set(key, reader);
      reader.feeds.push(feed);
      reader.tables.push(...tables);
    }
  }
  return [...readers].map(([key, { flow, feeds, tables }]) => {
    const [group, env, name] = JSON.parse(key) as [string, string, string];
    const databases = [...new Set(feeds.map(({ database }) => database))];
    return {
      folder: `${group}/${env}`,
      name,
      source: `${group} ${env}: ${databases.join(', ')}`,
      settings: {
        name: `cdc-${group}-${env}-${name}`,
        ...(flow.group.type === 'mssql'
          ? sqlServer(flow, feeds[0]!, databases)
          : postgres(flow, feeds[0]!, carrierName(groups, feeds[0]!))),
        ...formOf(tables, flow.group.type),
        ...selectionOf(tables, signalTableOf(flow, databases)),
        'tombstones.on.delete': 'false',
        'skipped.operations': 'none',
        ...convertersOf(tables),
      },
    };
  });
}

/**
 * Returns the signal table of the connector with its full name. Returns undefined if a connector reads several
 * databases, because it supports one signal table only.
 */
export function signalTableOf(
  { group: { signalTable, type } }: Pick<Flow, 'group'>,
  databases: readonly string[],
): SignalTable | undefined {
  if (!signalTable || databases.length > 1) return undefined;
  const { schema, table } = signalTable;
  return {
    ...{ schema, table },
    name: [...(type === 'mssql' ? databases : []), schema, table].join('.'),
  };
}

export interface SignalTable {
  readonly schema: string;
  readonly table: string;
  /** Full name in the connector: `AdOpus.dbo.debezium_signal`, `public.debezium_signal`. */
  readonly name: string;
}

function sqlServer(flow: Flow, feed: Feed, databases: readonly string[]): Settings {
  const { server } = feed;
  const prefix = connectorPrefix(flow, feed);
  return {
    'connector.class': 'io.debezium.connector.sqlserver.SqlServerConnector',
    'tasks.max': '1',
    ...addressOf(server),
    'database.names': databases.join(','),
    ...(server.encrypt !== undefined && { 'database.encrypt': String(server.encrypt) }),
    ...(server.trustServerCertificate !== undefined && {
      'database.trustServerCertificate': String(server.trustServerCertificate),
    }),
    'topic.prefix': prefix,
    'schema.history.internal.kafka.bootstrap.servers': '${env:KAFKA_BROKERS}',
    'schema.history.internal.kafka.topic': `${prefix}.schema-history.${server.name}`,
    'include.schema.changes': 'false',
  };
}

function postgres(flow: Flow, feed: Feed, carrier: string): Settings {
  const { server, database } = feed;
  return {
    'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
    'tasks.max': '1',
    ...addressOf(server),
    'database.dbname': database,
    ...(server.sslmode !== undefined && { 'database.sslmode': server.sslmode }),
    ...(server.caFile !== undefined && { 'database.sslrootcert': cutVariables(server.caFile) }),
    'topic.prefix': topicPrefix(flow, feed),
    'plugin.name': 'pgoutput',
    'slot.name': carrier,
    'publication.name': carrier,
    // enable-cdc creates the publication. In other modes Debezium alters it at each start and must own it and its
    // tables.
    'publication.autocreate.mode': 'disabled',
  };
}

function addressOf({ host, port, user, password }: Feed['server']): Settings {
  return {
    'database.hostname': cutVariables(host),
    'database.port': cutVariables(port),
    'database.user': cutVariables(user),
    'database.password': cutVariables(password, 'CDC_SOURCE_PASSWORD'),
  };
}

const FORM = {
  time: 'time.precision.mode',
  decimal: 'decimal.handling.mode',
  binary: 'binary.handling.mode',
  interval: 'interval.handling.mode',
  unavailable: 'unavailable.value.placeholder',
} as const;

/** Returns the value format, which is the same for the whole connector. */
function formOf(tables: readonly FlowTable[], type: Flow['group']['type']): Settings {
  const settings = Object.entries(FORM).filter(
    ([key]) => key !== 'interval' || type === 'postgres',
  );
  return Object.fromEntries(
    settings.map(([key, setting]) => {
      const valueOf = ({ events }: FlowTable) => events[key as keyof EventSettings];
      const other = tables.find((each) => valueOf(each) !== valueOf(tables[0]!));
      if (other) throw otherForm(setting, tables[0]!, valueOf(tables[0]!), other, valueOf(other));
      return [setting, valueOf(tables[0]!)];
    }),
  );
}

function otherForm(
  setting: string,
  one: FlowTable,
  value: string,
  other: FlowTable,
  otherValue: string,
): CommandError {
  const name = ({ sink, table }: FlowTable) =>
    `${sink.at.file} ${table.set} ${sink.schema}.${sink.table}`;
  return new CommandError(
    `${name(other)}: expected ${setting} ${value} as in ${name(one)}, found ${otherValue}: the same connector reads both tables; ` +
      'use the same settings for both in pipeline (sink-groups.yaml, or the table)',
  );
}

/** Returns the tables, the excluded columns, and the keys that the source does not define. */
function selectionOf(tables: readonly FlowTable[], signals: SignalTable | undefined): Settings {
  const regex = (...parts: readonly string[]) => parts.map(escape).join('\\.').replace(/,/g, '\\,');
  const nameOf = ({ table: { source } }: FlowTable) => [source.schema, source.table] as const;
  const once = (texts: readonly string[]) => [...new Set(texts)];
  const excluded = once(
    tables.flatMap((each) =>
      [...each.absent]
        .filter(([, { code }]) => code === 'ignored')
        .map(([column]) => regex(...nameOf(each), column)),
    ),
  );
  const keys = once(
    tables.flatMap((each) => {
      const { key, columns } = each.table;
      if (!key || key.origin === 'primary key') return [];
      const names = key.columns.flatMap(
        (name) => columns.find((column) => column.name === name)?.source?.name ?? [],
      );
      return `${inKeyList(nameOf(each).map(escape).join('\\.'))}:${names.map(escape).map(inKeyList).join(',')}`;
    }),
  );
  return {
    'table.include.list': once([
      ...tables.map((each) => regex(...nameOf(each))),
      ...(signals ? [regex(signals.schema, signals.table)] : []),
    ]).join(','),
    ...(signals && { 'signal.data.collection': signals.name }),
    ...(excluded.length > 0 && { 'column.exclude.list': excluded.join(',') }),
    ...(keys.length > 0 && { 'message.key.columns': keys.join(';') }),
  };
}

/** Escapes a regular expression for a list whose separators are `:`, `,` and `;`. */
function inKeyList(expression: string): string {
  return expression.replace(/[:,;]/g, (letter) => `\\x${letter.charCodeAt(0).toString(16)}`);
}

/** Returns the converters. JDBC sinks need field types with each event, and Bloblang does not. */
function convertersOf(tables: readonly FlowTable[]): Settings {
  const enable = String(tables.some(({ events }) => events.writer !== 'bento'));
  return {
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': enable,
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': enable,
  };
}
