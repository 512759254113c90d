import type { Location } from '@cdc-migrations/shape';
import { SINK_GROUPS_FILE, SOURCE_GROUPS_FILE } from './config-files.ts';
import type { Server, SinkGroup, Source, SourceEnvironment, SourceGroup } from './config.ts';
import { envsOf } from './checks/check-group.ts';
import { defined } from './defined.ts';
import type { SinkGroupsShape } from './schemas/sink-groups.ts';
import type { SourceGroupsShape } from './schemas/source-groups.ts';

type GroupShape = SourceGroupsShape[string] | SinkGroupsShape[string];
type SourceShape = GroupShape['sources'][string];
type ServerShape = GroupShape['servers'][string];

/** The groups of `source-groups.yaml`, in its order. */
export function buildSourceGroups(shape: SourceGroupsShape): readonly SourceGroup[] {
  return Object.entries(shape).map(([name, group]) => {
    const at = { file: SOURCE_GROUPS_FILE, keys: [name] };
    return defined({
      at,
      name,
      pattern: group.pattern,
      type: group.type,
      envs: envsOf(group),
      validationEnv: group.validation_env,
      databaseRef: group.database_ref,
      includePattern: group.include_pattern,
      databaseExcludePatterns: group.database_exclude_patterns,
      schemaExcludePatterns: group.schema_exclude_patterns,
      tableIncludePatterns: group.table_include_patterns,
      tableExcludePatterns: group.table_exclude_patterns,
      servers: buildServers(group.servers, at),
      sources: buildSources(group.sources, at),
    });
  });
}

/** The groups of `sink-groups.yaml`, in its order. */
export function buildSinkGroups(shape: SinkGroupsShape): readonly SinkGroup[] {
  return Object.entries(shape).map(([name, group]) => {
    const at = { file: SINK_GROUPS_FILE, keys: [name] };
    return defined({
      at,
      name,
      sourceGroup: group.source_group,
      pattern: group.pattern,
      pipeline: group.pipeline,
      envs: envsOf(group),
      servers: buildServers(group.servers, at),
      sources: buildSources(group.sources, at),
    });
  });
}

function buildServers(
  servers: Readonly<Record<string, ServerShape>>,
  { file, keys }: Location,
): ReadonlyMap<string, Server> {
  const built = Object.entries(servers).map(([name, server]): [string, Server] => [
    name,
    defined({
      at: { file, keys: [...keys, 'servers', name] },
      name,
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      encrypt: server.encrypt,
      trustServerCertificate: server.trust_server_certificate,
      sslmode: server.sslmode,
      caFile: server.ca_file,
    }),
  ]);
  return new Map(built);
}

function buildSources(
  sources: Readonly<Record<string, SourceShape>>,
  { file, keys }: Location,
): readonly Source[] {
  return Object.entries(sources).map(([name, { schemas, environments }]) => ({
    at: { file, keys: [...keys, 'sources', name] },
    name,
    schemas,
    environments: buildEnvironments(environments),
  }));
}

function buildEnvironments(
  environments: SourceShape['environments'],
): ReadonlyMap<string, SourceEnvironment> {
  const built = Object.entries(environments).map(([env, shape]): [string, SourceEnvironment] => [
    env,
    defined({
      env,
      server: shape.server,
      database: shape.database,
      targetSinkEnv: shape.target_sink_env ?? env,
      customerId: shape.customer_id,
    }),
  ]);
  return new Map(built);
}
