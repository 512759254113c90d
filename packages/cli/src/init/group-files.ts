import {
  ENVIRONMENTS,
  serverVariables,
  SINK_DATABASE,
  type ScaffoldOptions,
} from './scaffold-options.ts';

/** Renders `source-groups.yaml` of a new repo. */
export function renderSourceGroups(options: ScaffoldOptions): string {
  const { name, pattern, type, service } = options;
  const perTenant = pattern === 'db-per-tenant';
  return `# Where events come from.
${name}:
  pattern: ${pattern} # ${perTenant ? 'a database for each customer' : 'all customers in the same databases, one for each service'}
  type: ${type}
  envs: [${ENVIRONMENTS.join(', ')}]
  validation_env: ${ENVIRONMENTS[0]}
  # \${NAME} is a variable of the environment; only what connects to a server needs it.
  servers:
${renderServers(options, 'source')}
  # ${perTenant ? 'The key is a customer, and the name of its schema in the target' : 'The key is a service, and the name of its schema in the target'}.
  sources:
    ${perTenant ? 'first_customer' : service}:
      schemas: [${schemaOf(options)}]
${ENVIRONMENTS.map((env) => renderEnvironment(options, env)).join('\n')}
`;
}

/** Renders `sink-groups.yaml` of a new repo. */
export function renderSinkGroups(options: ScaffoldOptions): string {
  const { name } = options;
  return `# Where events go to.
sink_${name}:
  source_group: ${name}
  pattern: db-shared
  type: postgres
  envs: [${ENVIRONMENTS.join(', ')}]
  servers:
${renderServers(options, 'sink')}
  sources:
    ${SINK_DATABASE}:
      schemas: [public]
${ENVIRONMENTS.map((env) => `      ${env}: { server: ${env}, database: ${SINK_DATABASE}_${env} }`).join('\n')}
`;
}

/** Returns the source schema that a new repo reads. */
export function schemaOf({ type }: Pick<ScaffoldOptions, 'type'>): string {
  return type === 'mssql' ? 'dbo' : 'public';
}

/** Returns the name of the source database in an environment. */
export function databaseOf({ name }: Pick<ScaffoldOptions, 'name'>, env: string): string {
  return `${name}_${env}`;
}

function renderEnvironment(options: ScaffoldOptions, env: string): string {
  const customerId =
    options.pattern === 'db-per-tenant'
      ? '\n        customer_id: 00000000-0000-4000-8000-000000000001'
      : '';
  return `      ${env}:
        server: ${env}
        database: ${databaseOf(options, env)}${customerId}`;
}

function renderServers(options: ScaffoldOptions, side: 'source' | 'sink'): string {
  return ENVIRONMENTS.map((env) => {
    const variables = Object.entries(serverVariables(options, side, env));
    return [
      `    ${env}:`,
      ...variables.map(([key, variable]) => `      ${key}: \${${variable}}`),
    ].join('\n');
  }).join('\n');
}
