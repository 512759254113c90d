import type { ColumnTemplate, Server } from '@cdc-migrations/config';
import { quoteIdentifier } from '@cdc-migrations/sql-text';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import type { ScalarTag } from 'yaml';
import { argsMapping, refusedMapping, refusedValues, tableMapping, tableText } from './bloblang.ts';
import type { Flow, FlowTable } from './plan-flows.ts';
import { CHANGE_CACHE, changeInput, changeOutput, snapshotInput } from './render-change-reader.ts';
import { topicOf, topicPrefix } from './topics.ts';

export interface BentoParts {
  readonly templates: ReadonlyMap<string, ColumnTemplate>;
  /** Texts of the Bloblang files of transforms, by their reference. */
  readonly transforms: ReadonlyMap<string, string>;
}

/** Rows of one INSERT, if the number of parameters allows it. */
const BATCH_ROWS = 500;
/** Maximum parameters of a statement in PostgreSQL. */
const MAX_PARAMETERS = 65_535;

/**
 * Errors that a retry can solve. The event goes back to Kafka. All other errors are about the event, including those of
 * mappings.
 */
const PASSING = [
  ...[
    'dial ',
    'read ',
    'write ',
    'EOF$',
    'unexpected EOF$',
    'driver: bad connection',
    'not connected',
    'context ',
  ],
  ...[
    'the database system',
    'terminating connection',
    'sorry, too many clients',
    'remaining connection slots',
    'cannot execute .* in a read-only transaction',
    'canceling statement',
    'deadlock detected',
    'could not serialize',
    'out of memory',
    'out of shared memory',
    'could not extend',
    'could not write',
  ].map((text) => `pq: ${text}`),
].join('|');

/** Builds the configuration of Bento or Redpanda Connect that fills the staging tables of a flow. */
export function bentoOf(
  flow: Flow,
  tables: readonly FlowTable[],
  parts: BentoParts,
  input: 'kafka' | 'changes' | 'snapshot',
): object {
  const isPerTenant = flow.group.pattern === 'db-per-tenant';
  const labels = labelsOf(tables);
  const target = {
    driver: 'postgres',
    dsn: dsnOf(flow),
    conn_max_open: 1,
    conn_max_idle_time: '30s',
  };
  const connection = { ...target, max_in_flight: 1 };
  const reader = {
    target,
    schemaText: (each: FlowTable) => schemaText(each, flow),
  };
  const events = [
    ...tables.map((each, index) => ({
      check: `@cdc_table == ${tableText(each)}`,
      output: batched(labels[index]!, each.columns.length),
    })),
    { output: { resource: 'refused_event' } },
  ];
  return {
    input: {
      kafka: () => kafkaInput(flow, tables),
      changes: () => changeInput(flow, tables, reader),
      snapshot: () => snapshotInput(flow, tables, plainText),
    }[input](),
    pipeline: {
      processors: [{ mapping: tableMapping(isPerTenant) }],
    },
    output:
      input === 'changes'
        ? changeOutput(events, { target: connection })
        : { switch: { cases: events } },
    ...(input === 'changes' && { cache_resources: [CHANGE_CACHE] }),
    output_resources: [
      ...tables.flatMap((each, index) => {
        const insert = { sql_insert: insertOf(each, flow, connection, parts) };
        return [
          { label: labels[index], ...insert },
          { label: rowsOf(labels[index]!), ...insert },
        ];
      }),
      refusedEvent(flow, tables, connection, parts),
    ],
  };
}

function kafkaInput(flow: Flow, tables: readonly FlowTable[]): object {
  const isPerTenant = flow.group.pattern === 'db-per-tenant';
  const [feed] = flow.feeds;
  const prefix = isPerTenant
    ? '${CDC_TOPIC_PREFIX}'
    : `\${CDC_TOPIC_PREFIX:${feed ? topicPrefix(flow, feed) : ''}}`;
  return {
    kafka_franz: {
      seed_brokers: ['${KAFKA_BROKERS}'],
      topics: tables.map(({ table }) => `${prefix}.${topicOf(table)}`),
      consumer_group: `cdc-${flow.sink}-${flow.env}-${isPerTenant ? '${CDC_SCHEMA}' : flow.service}`,
    },
  };
}

/** A text with `${` that must not be replaced by a variable. */
class PlainText {
  constructor(
    readonly text: string,
    /** Text before it, which may contain variables. */
    readonly before: string,
  ) {}
}

function plainText(text: string, before = ''): PlainText | string {
  return text.includes('${') ? new PlainText(text, before) : before + text;
}

/** Writes such a text in YAML. Bento replaces variables in the bytes of the file before it parses the YAML. */
export const PLAIN_TEXT: ScalarTag = {
  tag: 'tag:yaml.org,2002:str',
  default: true,
  identify: (value) => value instanceof PlainText,
  resolve: (text) => text,
  stringify({ value }) {
    const { text, before } = value as PlainText;
    const written = JSON.stringify(text).replaceAll('${', '\\x24{');
    return JSON.stringify(before).slice(0, -1) + written.slice(1);
  },
};

/**
 * Builds an output that writes a batch in one INSERT. If the server refuses it, each row gets its own INSERT, and rows
 * that are still refused are kept. Rows have their own output: one with `max_in_flight: 1` passes a refused batch on
 * before it takes the next one, so a shared output would wait for itself.
 */
function batched(label: string, columns: number): object {
  const rows = Math.min(BATCH_ROWS, Math.floor(MAX_PARAMETERS / columns));
  return {
    broker: {
      batching: { count: rows, period: '1s' },
      outputs: [
        {
          fallback: [
            { resource: label },
            {
              fallback: [{ resource: rowsOf(label) }, { resource: 'refused_event' }],
              processors: [{ split: { size: 1 } }],
            },
          ],
        },
      ],
    },
  };
}

function insertOf(
  each: FlowTable,
  flow: Flow,
  connection: object,
  { templates, transforms }: BentoParts,
): object {
  const columns = each.columns.map(({ name }) => name);
  return {
    ...connection,
    table: plainText(quoteIdentifier(each.table.names.staging), `${schemaOf(each, flow)}.`),
    columns: columns.map((name) => plainText(quoteIdentifier(name))),
    args_mapping: argsMapping(each, columns, templates, transforms),
  };
}

/** Returns the schema. For a customer it is a variable, so that one configuration serves all. */
function schemaOf({ table: { schema, service } }: FlowTable, { group }: Flow): string {
  if (schema.scope === 'literal') return quoteIdentifier(schema.name);
  return group.pattern === 'db-shared' ? quoteIdentifier(service) : '"${CDC_SCHEMA}"';
}

/** Returns the schema as Bloblang text. */
function schemaText(each: FlowTable, flow: Flow): string {
  return `"${schemaOf(each, flow).slice(1, -1).replaceAll('""', '\\"')}"`;
}

/** Builds the output that keeps refused events unchanged. Events with other failures go back to Kafka. */
function refusedEvent(
  flow: Flow,
  tables: readonly FlowTable[],
  connection: object,
  { templates }: BentoParts,
): object {
  return {
    label: 'refused_event',
    switch: {
      cases: [
        {
          check: `(@fallback_error | "").re_match(${JSON.stringify(`^(?:${PASSING})`)})`,
          output: { reject: '${! @fallback_error }' },
        },
        {
          output: {
            sql_insert: {
              ...connection,
              table: `${MANAGEMENT_SCHEMA}.refused_event`,
              columns: Object.keys(refusedValues()),
              args_mapping: refusedMapping(tables, (each) => schemaText(each, flow), templates),
            },
          },
        },
      ],
    },
  };
}

/**
 * Builds a connection string for lib/pq. Values are quoted, because a password can have characters that a URL cannot.
 */
function dsnOf({ server, database }: Flow): string {
  const parts = {
    host: server.host,
    port: server.port,
    dbname: database,
    user: server.user,
    password: secretOf(server),
    sslmode: server.sslmode ?? '${CDC_SINK_SSLMODE:require}',
    ...(server.caFile !== undefined && { sslrootcert: server.caFile }),
    application_name: 'cdc-pipeline',
  };
  return Object.entries(parts)
    .map(([name, value]) => `${name}='${value}'`)
    .join(' ');
}

/** Returns the password as a variable of the environment. A literal password is not copied. */
export function secretOf({ password }: Server): string {
  return /^\$\{\w+\}$/.test(password) ? password : '${CDC_SINK_PASSWORD}';
}

/** Builds the output for single rows of a table. Labels of tables never contain `__`. */
function rowsOf(label: string): string {
  return `${label}__rows`;
}

/** Builds unique Bento labels of lower-case letters, digits and `_`. */
function labelsOf(tables: readonly FlowTable[]): readonly string[] {
  const seen = new Set(['refused_event']);
  return tables.map(({ table }) => {
    const base = table.names.staging
      .normalize('NFD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_');
    for (let n = 1; ; n++) {
      const label = n === 1 ? base : `${base}_${n}`;
      if (seen.has(label)) continue;
      seen.add(label);
      return label;
    }
  });
}
