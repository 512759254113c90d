import { flag, listOf, oneOf, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { IGNORED_KEYS } from './ignored-keys.ts';
import { pipelineSchema } from './pipeline.ts';
import { tableName } from './table-name.ts';

/** Schema of a server under `servers:`. Each text may contain `${NAME}`. */
const serverSchema = v.strictObject({
  host: connectionText('a host such as ${MSSQL_HOST}'),
  port: v.pipe(
    connectionText('a port such as 1433 or ${MSSQL_PORT}'),
    v.check(
      (port) => port.includes('${') || isPort(port),
      'expected a port from 1 to 65535, or ${NAME}',
    ),
    v.metadata({
      jsonSchema: {
        type: ['integer', 'string'],
        minimum: 1,
        maximum: 65535,
        pattern: '^[0-9]{1,5}$|\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}',
      },
    }),
  ),
  user: connectionText('a user such as ${MSSQL_USER}'),
  password: connectionText('a password such as ${MSSQL_PASSWORD}'),
  encrypt: v.optional(flag()),
  trust_server_certificate: v.optional(flag()),
  sslmode: v.optional(oneOf(['disable', 'require', 'verify-ca', 'verify-full'])),
  ca_file: v.optional(connectionText('the path of a file')),
  ...IGNORED_KEYS,
});

/** Returns true if a text is a valid port number. */
export function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535;
}

function connectionText(what: string) {
  return v.pipe(
    text(what),
    v.regex(
      /^(?![\s\S]*\$\{(?![A-Za-z_][A-Za-z0-9_]*\}))/,
      'expected ${NAME}, where NAME consists of letters, digits and _',
    ),
  );
}

const environmentSchema = v.looseObject({
  server: text('the name of a server of the group'),
  database: text('the name of a database'),
  target_sink_env: v.optional(text('an environment of the sink')),
  customer_id: v.optional(text('the id of the customer')),
});

type Environment = v.InferOutput<typeof environmentSchema>;

/** Schema of a customer, service or target database. It has `schemas`, and every other key is an environment. */
const sourceSchema = v.pipe(
  v.objectWithRest({ schemas: listOf('the name of a schema'), ...IGNORED_KEYS }, environmentSchema),
  v.transform(
    ({ schemas, ...others }): { schemas: readonly string[]; environments: Environments } => ({
      schemas,
      environments: environmentsOf(others),
    }),
  ),
);

type Environments = Readonly<Record<string, Environment>>;

/** Keys that source groups and sink groups have in common. */
const GROUP_KEYS = {
  description: v.optional(text('a description')),
  environment_aware: v.optional(flag()),
  envs: v.optional(listOf('the name of an environment')),
  validation_env: v.optional(text('one of envs')),
  database_ref: v.optional(text('the name of a database')),
  include_pattern: v.optional(regularExpression()),
  database_exclude_patterns: v.optional(regularExpressions(), []),
  schema_exclude_patterns: v.optional(regularExpressions(), []),
  table_include_patterns: v.optional(regularExpressions(), []),
  table_exclude_patterns: v.optional(regularExpressions(), []),
  servers: v.record(v.string(), serverSchema, 'expected a mapping of servers'),
  sources: v.record(v.string(), sourceSchema, 'expected a mapping of sources'),
  ...IGNORED_KEYS,
};

function regularExpressions() {
  return v.array(regularExpression(), 'expected a list of regular expressions');
}

function environmentsOf(others: Environments): Environments {
  const environments: Record<string, Environment> = Object.create(null);
  for (const [key, environment] of Object.entries(others)) {
    if (!Object.hasOwn(IGNORED_KEYS, key)) environments[key] = environment;
  }
  return environments;
}

/** Schema of `source-groups.yaml`. */
export const sourceGroupsSchema = v.record(
  v.string(),
  v.strictObject({
    type: oneOf(['mssql', 'postgres']),
    pattern: oneOf(['db-per-tenant', 'db-shared']),
    signal_table: v.optional(tableName()),
    ...GROUP_KEYS,
  }),
  'expected a mapping of source groups: `<group>: { pattern, type, envs, servers, sources }`',
);

export type SourceGroupsShape = v.InferOutput<typeof sourceGroupsSchema>;

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
const DURATION = /^(\d{1,6})(s|m|h)$/;

/** Parses `30s`, `10m` or `1h` to milliseconds. */
function duration() {
  const message = ({ input }: { readonly input: string }) =>
    `expected a time such as 30s, 10m or 1h, found "${input}"`;
  return v.pipe(
    text('a time such as 30s, 10m or 1h'),
    v.regex(DURATION, message),
    v.transform((time) => {
      const [, number, unit] = DURATION.exec(time)!;
      return Number(number) * UNIT_MS[unit!]!;
    }),
  );
}

/** Parses a whole number of at least 1. YAML of users has numbers as text. */
export function count() {
  return v.pipe(
    text('a whole number of at least 1'),
    v.regex(
      /^[1-9]\d{0,8}$/,
      ({ input }) => `expected a whole number of at least 1, found "${input}"`,
    ),
    v.transform(Number),
    v.metadata({ jsonSchema: { type: 'integer', minimum: 1 } }),
  );
}

/** Schema of a part of a rollout. */
const waveSchema = v.strictObject({
  name: text('the name of a wave'),
  customers: v.optional(listOf('the name of a customer')),
  jobs: v.optional(count()),
  pause: v.optional(duration()),
  stop_after: v.optional(count()),
});

/** Schema of `sink-groups.yaml`. */
export const sinkGroupsSchema = v.record(
  v.pipe(v.string(), v.regex(/^[^.]+$/, 'expected the name of a sink group, without a dot')),
  v.strictObject({
    source_group: text('the name of a source group'),
    type: oneOf(['postgres']),
    pipeline: v.optional(pipelineSchema),
    waves: v.optional(v.array(waveSchema, 'expected a list of waves, each { name, customers }')),
    /** Each tenant has a schema in the sink database. A database per tenant is not supported. */
    pattern: oneOf(['db-shared']),
    ...GROUP_KEYS,
  }),
  'expected a mapping of sink groups: `<group>: { source_group, pattern, type, envs, servers, sources }`',
);

export type SinkGroupsShape = v.InferOutput<typeof sinkGroupsSchema>;

/** Accepts a regular expression of JavaScript. */
function regularExpression() {
  return v.pipe(
    text('a regular expression'),
    v.check(
      (pattern) => problemOf(pattern) === undefined,
      ({ input }) => `expected a JavaScript regular expression; ${problemOf(input)}`,
    ),
    v.metadata({ jsonSchema: { type: 'string', format: 'regex' } }),
  );
}

/** Returns the error of the engine for an invalid pattern. */
function problemOf(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    return (error as SyntaxError).message;
  }
}
