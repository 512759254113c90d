import type { Location } from '@cdc-migrations/shape';
import { envsOf } from './checks/check-groups.ts';
import { allRenames, PARTITION_METHODS } from './checks/check-sink-table.ts';
import { COLUMN_TEMPLATES_FILE, SINK_GROUPS_FILE, SOURCE_GROUPS_FILE } from './config-files.ts';
import type {
  ColumnTemplate,
  Server,
  Service,
  ServiceSink,
  SinkGroup,
  SinkTable,
  Source,
  SourceEnvironment,
  SourceGroup,
  SourceTable,
  TablePartitioning,
  TypeOverrides,
} from './config.ts';
import { defined } from './defined.ts';
import type { ServicePart } from './parse-part.ts';
import type { ColumnTemplatesShape, TypeOverridesShape } from './schemas/definitions.ts';
import type { SinkTableShape, SourceTableShape } from './schemas/service.ts';
import type { SinkGroupsShape, SourceGroupsShape } from './schemas/groups.ts';
import { splitTableName } from './schemas/table-name.ts';

type GroupShape = SourceGroupsShape[string] | SinkGroupsShape[string];
type SourceShape = GroupShape['sources'][string];
type ServerShape = GroupShape['servers'][string];

/** Builds the groups of `source-groups.yaml`, in file order. */
export function buildSourceGroups(shape: SourceGroupsShape): readonly SourceGroup[] {
  return Object.entries(shape).map(([name, group]) => {
    const at = { file: SOURCE_GROUPS_FILE, keys: [name] };
    return defined({
      at,
      name,
      pattern: group.pattern,
      type: group.type,
      signalTable:
        group.signal_table === undefined ? undefined : splitTableName(group.signal_table),
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

/** Builds the groups of `sink-groups.yaml`, in file order. */
export function buildSinkGroups(shape: SinkGroupsShape): readonly SinkGroup[] {
  return Object.entries(shape).map(([name, group]) => {
    const at = { file: SINK_GROUPS_FILE, keys: [name] };
    return defined({
      at,
      name,
      sourceGroup: group.source_group,
      pattern: group.pattern,
      pipeline: group.pipeline,
      waves: (group.waves ?? []).map((wave, index) =>
        defined({
          at: below(at, 'waves', index),
          name: wave.name,
          customers: wave.customers,
          jobs: wave.jobs,
          pauseMs: wave.pause,
          stopAfter: wave.stop_after,
        }),
      ),
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

/** Builds a service. Returns undefined if a part of it has a reported problem. */
export function buildService({ file, name, keys, whole }: ServicePart): Service | undefined {
  if (!whole?.source?.tables || !whole.sinks) return undefined;
  const { source, sinks } = whole;
  const at = { file, keys };
  return {
    at,
    name,
    validationDatabase: source.validation_database,
    validationEnv: source.validation_env,
    tables: Object.entries(whole.source.tables).map(([table, shape]) =>
      buildSourceTable(table, shape, below(at, 'source', 'tables', table)),
    ),
    sinks: Object.entries(sinks).map(([sink, { tables = {} }]): ServiceSink => {
      const sinkAt = below(at, 'sinks', sink);
      return {
        at: sinkAt,
        sink,
        tables: Object.entries(tables).map(([table, shape]) =>
          buildSinkTable(table, shape, below(sinkAt, 'tables', table)),
        ),
      };
    }),
  };
}

function buildSourceTable(name: string, shape: SourceTableShape, at: Location): SourceTable {
  return defined({
    at,
    ...splitTableName(name),
    ignoreColumns: shape.ignore_columns,
    includeColumns: shape.include_columns,
    keyColumns: shape.key_columns,
    lossyKeyColumns: shape.lossy_key_columns,
    manualMigrationHints: shape.manual_migration_hints,
  });
}

function buildSinkTable(name: string, shape: SinkTableShape, at: Location): SinkTable {
  const { manual_migration_hints: hints } = shape;
  return defined({
    at,
    ...splitTableName(name),
    from: splitTableName(shape.from),
    targetExists: shape.target_exists,
    columnTemplates: shape.column_templates.map((use, index) => {
      const useAt = below(at, 'column_templates', index);
      return typeof use === 'string'
        ? { at: useAt, template: use }
        : defined({
            at: useAt,
            template: use.template,
            name: use.name,
            value: expressionOf(use.value),
          });
    }),
    transforms: shape.transforms.map((transform, index) =>
      defined({
        at: below(at, 'transforms', index),
        bloblangRef: transform.bloblang_ref,
        expectedOutputColumn: transform.expected_output_column,
      }),
    ),
    columns: new Map(Object.entries(shape.columns ?? {})),
    deleteMode: shape.delete_mode,
    staging: shape.staging,
    pipeline: shape.pipeline,
    indexes: shape.indexes.map(({ columns, unique, where, method }, index) =>
      defined({ at: below(at, 'indexes', index), columns, unique, where, method }),
    ),
    partitionBy: buildPartitioning(shape.partition_by, below(at, 'partition_by')),
    backfillFromDefault: shape.backfill_from_default,
    renames: new Map(allRenames(shape)),
    hints: {
      using: new Map(hints?.type_changes.map(({ column, using }) => [column, using])),
      beforeNotNull: new Map(hints?.set_not_null.map(({ column, pre_sql }) => [column, pre_sql])),
    },
  });
}

function buildPartitioning(
  shape: SinkTableShape['partition_by'],
  at: Location,
): TablePartitioning | undefined {
  const method = PARTITION_METHODS.find((one) => shape?.[one]);
  if (!shape || !method) return undefined;
  return defined({
    ...{ at, method, columns: shape[method]!, count: shape.count },
    partitions: (shape.partitions ?? []).map((partition, index) =>
      defined({ at: below(at, 'partitions', index), ...partition }),
    ),
  });
}

function below(at: Location, ...keys: readonly (string | number)[]): Location {
  return { file: at.file, keys: [...at.keys, ...keys] };
}

/** Builds a map of the column templates by name. */
export function buildTemplates({
  templates,
}: ColumnTemplatesShape): ReadonlyMap<string, ColumnTemplate> {
  const built = Object.entries(templates).map(([template, shape]): [string, ColumnTemplate] => [
    template,
    defined({
      at: { file: COLUMN_TEMPLATES_FILE, keys: ['templates', template] },
      template,
      name: shape.name,
      type: shape.type,
      notNull: shape.not_null,
      default: shape.default,
      description: shape.description,
      value: expressionOf(shape.value),
    }),
  ]);
  return new Map(built);
}

/** Builds the type overrides of a file. */
export function buildTypeOverrides(
  { types = {}, tables = {} }: TypeOverridesShape,
  file: string,
): TypeOverrides {
  return {
    at: { file, keys: [] },
    types: new Map(Object.entries(types)),
    tables: new Map(
      Object.entries(tables).map(([table, overrides]) => [
        table,
        {
          types: new Map(Object.entries(overrides.types ?? {})),
          columns: new Map(Object.entries(overrides.columns ?? {})),
        },
      ]),
    ),
  };
}

/**
 * Converts a YAML value to a Bloblang expression: `true` becomes the text `true`. Returns undefined for other kinds of
 * values.
 */
export function expressionOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined;
}
