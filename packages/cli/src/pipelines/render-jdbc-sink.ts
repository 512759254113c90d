import type { ColumnTemplate } from '@cdc-migrations/config';
import { CommandError } from '../exit-code.ts';
import { cutVariables } from './connect-variables.ts';
import type { Feed, Flow, FlowTable } from './plan-flows.ts';
import { topicOf, topicPrefix } from './topics.ts';

type Settings = Readonly<Record<string, string>>;

/**
 * Builds a JDBC sink of Kafka Connect that fills the staging tables of one source database. It appends events, and the
 * merge finds the last one.
 */
export function jdbcSinkOf(
  flow: Flow,
  feed: Feed,
  tables: readonly FlowTable[],
  templates: ReadonlyMap<string, ColumnTemplate>,
): Settings {
  const isDebezium = tables[0]!.events.writer === 'debezium-jdbc';
  const prefix = topicPrefix(flow, feed);
  const name = `cdc-${flow.sink}-${flow.env}-${flow.service}-${feed.tenant}`;
  return {
    name,
    ...(isDebezium ? DEBEZIUM : CONFLUENT),
    'tasks.max': '1',
    topics: tables.map(({ table }) => `${prefix}.${topicOf(table)}`).join(','),
    'connection.url': urlOf(flow),
    [isDebezium ? 'connection.username' : 'connection.user']: cutVariables(flow.server.user),
    'connection.password': cutVariables(flow.server.password, 'CDC_SINK_PASSWORD'),
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'true',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
    'errors.tolerance': 'all',
    'errors.deadletterqueue.topic.name': `${name}-refused`,
    'errors.deadletterqueue.context.headers.enable': 'true',
    ...transformsOf(flow, feed, tables, templates),
  };
}

const DEBEZIUM: Settings = {
  'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
  'insert.mode': 'insert',
  'primary.key.mode': 'none',
  'delete.enabled': 'false',
  'schema.evolution': 'none',
  'quote.identifiers': 'true',
  'collection.name.format': '${topic}',
};

const CONFLUENT: Settings = {
  'connector.class': 'io.confluent.connect.jdbc.JdbcSinkConnector',
  'insert.mode': 'insert',
  'pk.mode': 'none',
  'delete.enabled': 'false',
  'auto.create': 'false',
  'auto.evolve': 'false',
  'quote.sql.identifiers': 'always',
  'table.name.format': '${topic}',
};

/** Builds the URL. Text is bound without a type, so PostgreSQL uses the type of the column. */
function urlOf({ server, database }: Flow): string {
  const options = [
    'stringtype=unspecified',
    `sslmode=${server.sslmode ?? 'require'}`,
    ...(server.caFile === undefined ? [] : [`sslrootcert=${cutVariables(server.caFile)}`]),
  ];
  const address = `${cutVariables(server.host)}:${cutVariables(server.port)}`;
  return `jdbc:postgresql://${address}/${encodeURIComponent(database)}?${options.join('&')}`;
}

/** Builds the transforms: the row of the event, its position, the connector's constants, then the staging table. */
function transformsOf(
  flow: Flow,
  feed: Feed,
  tables: readonly FlowTable[],
  templates: ReadonlyMap<string, ColumnTemplate>,
): Settings {
  const steps: [string, Settings, string?][] = [
    [
      'unwrap',
      {
        type: 'io.debezium.transforms.ExtractNewRecordState',
        'add.fields': 'op:cdc_operation,source.ts_ms,source.db,source.table',
        'delete.tombstone.handling.mode': 'rewrite',
      },
    ],
    ['deleted', { type: REPLACE, exclude: '__deleted' }],
    [
      'position',
      {
        type: INSERT,
        'offset.field': '__kafka_offset',
        'partition.field': '__kafka_partition',
        'timestamp.field': '__kafka_timestamp',
      },
    ],
    ...constantsOf(feed, tables, templates),
    ...renamesOf(tables),
    ...routesOf(flow, feed, tables),
  ];
  const predicates = steps.flatMap(([step, , topic]) =>
    topic === undefined ? [] : [[step, topic]],
  );
  return {
    transforms: steps.map(([step]) => step).join(','),
    ...Object.fromEntries(
      steps.flatMap(([step, settings, topic]) => [
        ...Object.entries(settings).map(([key, value]) => [`transforms.${step}.${key}`, value]),
        ...(topic === undefined ? [] : [[`transforms.${step}.predicate`, step]]),
      ]),
    ),
    ...(predicates.length > 0 && { predicates: predicates.map(([step]) => step).join(',') }),
    ...Object.fromEntries(
      predicates.flatMap(([step, topic]) => [
        [
          `predicates.${step}.type`,
          'org.apache.kafka.connect.transforms.predicates.TopicNameMatches',
        ],
        [`predicates.${step}.pattern`, topic],
      ]),
    ),
  };
}

const INSERT = 'org.apache.kafka.connect.transforms.InsertField$Value';
const REPLACE = 'org.apache.kafka.connect.transforms.ReplaceField$Value';
const ROUTE = 'org.apache.kafka.connect.transforms.RegexRouter';

/** Builds template columns that are constant: those with the customer's value, and variables of the environment. */
function constantsOf(
  { customerId }: Feed,
  tables: readonly FlowTable[],
  templates: ReadonlyMap<string, ColumnTemplate>,
): [string, Settings, string][] {
  const columns = new Map<string, { readonly value: string; readonly topics: string[] }>();
  for (const { table, sink } of tables) {
    for (const { template, name, value = templates.get(template)?.value } of sink.columnTemplates) {
      const column = name ?? templates.get(template)!.name;
      const constant = constantOf(value, customerId);
      if (constant === undefined || !isTemplate(table, column)) continue;
      const key = JSON.stringify([column, constant]);
      const entry = columns.get(key) ?? { value: constant, topics: [] };
      entry.topics.push(`.*\\.${escape(topicOf(table))}`);
      columns.set(key, entry);
    }
  }
  return [...columns].map(([key, { value, topics }], index) => {
    const [column] = JSON.parse(key) as [string, string];
    const settings = { type: INSERT, 'static.field': column, 'static.value': value };
    return [`constant${index + 1}`, settings, topics.join('|')];
  });
}

function isTemplate({ columns }: FlowTable['table'], column: string): boolean {
  return columns.some(({ name, role }) => name === column && role === 'template');
}

function constantOf(value: string | undefined, customerId: string | undefined): string | undefined {
  if (value === 'meta("customer_id")') return customerId;
  return value !== undefined && /^\$\{\w+\}$/.test(value) ? cutVariables(value) : undefined;
}

/** Builds renames of columns whose source name differs. */
function renamesOf(tables: readonly FlowTable[]): [string, Settings, string][] {
  return tables
    .map(({ table }) => ({
      topic: `.*\\.${escape(topicOf(table))}`,
      renames: table.columns
        .filter(({ name, source }) => source && source.name !== name)
        .map(({ name, source }) => `${listed(source!.name)}:${listed(name)}`)
        .join(','),
    }))
    .filter(({ renames }) => renames !== '')
    .map(({ topic, renames }, index) => [`rename${index + 1}`, { type: REPLACE, renames }, topic]);
}

/** Routes topics to staging tables: by one rule if the names follow it, otherwise by a rule for each. */
function routesOf(
  flow: Flow,
  feed: Feed,
  tables: readonly FlowTable[],
): [string, Settings, string?][] {
  const prefix = topicPrefix(flow, feed);
  const schemaOf = ({ table: { schema } }: FlowTable) =>
    schema.scope === 'literal' ? schema.name : feed.tenant;
  const isUsual = (each: FlowTable) =>
    each.table.names.staging === `stg_${each.table.source.table}` &&
    schemaOf(each) === feed.tenant &&
    /^\w+$/.test(each.table.source.table);
  const own = tables.filter((each) => !isUsual(each));
  return [
    ...own.map((each, index): [string, Settings] => [
      `route${index + 1}`,
      {
        type: ROUTE,
        regex: escape(`${prefix}.${topicOf(each.table)}`),
        replacement: `${schemaOf(each)}.${each.table.names.staging}`.replace(/[\\${]/g, '\\$&'),
      },
    ]),
    [
      'route',
      {
        type: ROUTE,
        regex: `${escape(prefix)}\\.[^.]+\\.([^.]+)`,
        replacement: `${feed.tenant.replace(/[\\$]/g, '\\$&')}.stg_$1`,
      },
    ],
  ];
}

/**
 * Characters that Kafka Connect reads as the end of a name in a list, or as a variable. There is no way to escape them.
 */
const NOT_LISTED = /[,:]|\$\{|^\s|\s$/;

/** Renders a name for a list of names. */
function listed(name: string): string {
  if (!NOT_LISTED.test(name)) return name;
  throw new CommandError(
    `column "${name}": expected a name that Kafka Connect can rename, without commas, colons, \${, ` +
      'leading spaces or trailing spaces; put it into ignore_columns, or set writer: bento',
  );
}

/** Renders a text as a Java regular expression without variables of Kafka Connect. */
export function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
