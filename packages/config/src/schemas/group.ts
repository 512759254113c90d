import { flag, listOf, oneOf, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { LEFT_ALONE } from './left-alone.ts';
import { regularExpression } from './regular-expression.ts';
import { serverSchema } from './server.ts';

const environmentSchema = v.looseObject({
  server: text('the name of a server of the group'),
  database: text('the name of a database'),
  target_sink_env: v.optional(text('an environment of the sink')),
  customer_id: v.optional(text('the id of the customer')),
});

type Environment = v.InferOutput<typeof environmentSchema>;

/** A customer, a service or a target database: its schemas, and under every other key an environment. */
const sourceSchema = v.pipe(
  v.objectWithRest({ schemas: listOf('the name of a schema'), ...LEFT_ALONE }, environmentSchema),
  v.transform(
    ({ schemas, ...others }): { schemas: readonly string[]; environments: Environments } => ({
      schemas,
      environments: environmentsOf(others),
    }),
  ),
);

type Environments = Readonly<Record<string, Environment>>;

/** The keys that groups of sources and of sinks share. */
export const GROUP_KEYS = {
  pattern: oneOf(['db-per-tenant', 'db-shared']),
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
  ...LEFT_ALONE,
};

function regularExpressions() {
  return v.array(regularExpression(), 'expected a list of regular expressions');
}

function environmentsOf(others: Environments): Environments {
  const environments: Record<string, Environment> = Object.create(null);
  for (const [key, environment] of Object.entries(others)) {
    if (!Object.hasOwn(LEFT_ALONE, key)) environments[key] = environment;
  }
  return environments;
}
