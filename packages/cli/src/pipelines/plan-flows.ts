import type { Catalog } from '@cdc-migrations/catalog';
import {
  tenantsOf,
  type Config,
  type Server,
  type SinkGroup,
  type SinkTable,
  type Source,
  type SourceGroup,
} from '@cdc-migrations/config';
import type { Location } from '@cdc-migrations/shape';
import {
  buildStagingColumns,
  resolveEvents,
  type Definitions,
  type EventSettings,
  type ReplicatedTable,
  type StagingColumn,
} from '@cdc-migrations/table-defs';
import { buildTargets, type StagingTarget } from './staging-targets.ts';

/** The events of one service that go to one sink in one environment. */
export interface Flow {
  /** Name `<sink group>.<database>`. */
  readonly sink: string;
  readonly env: string;
  readonly service: string;
  readonly server: Server;
  readonly database: string;
  readonly group: SourceGroup;
  readonly feeds: readonly Feed[];
  readonly tables: readonly FlowTable[];
}

/** A source database with events in a flow. */
export interface Feed {
  readonly at: Location;
  /** Name of a customer or service. */
  readonly tenant: string;
  /** Environment of the source. */
  readonly env: string;
  readonly server: Server;
  readonly database: string;
  readonly customerId?: string;
}

export interface FlowTable {
  readonly table: ReplicatedTable;
  readonly columns: readonly StagingColumn[];
  /** Source columns that staging does not have. */
  readonly absent: StagingTarget['absent'];
  /** True if `include_columns` lists the columns. All others, including later ones, are excluded on purpose. */
  readonly includesOnly: boolean;
  readonly sink: SinkTable;
  readonly events: EventSettings;
}

/** Plans all flows of the configuration, in the order of sinks, environments and services. */
export function planFlows(
  config: Config,
  catalogs: readonly Catalog[],
  definitions: Definitions,
): readonly Flow[] {
  const targets = buildTargets(config, catalogs, definitions);
  return definitions.sets.flatMap(({ name, sourceGroup }) => {
    const sinkGroup = config.sinkGroups.find((entry) => name.startsWith(`${entry.name}.`))!;
    const database = sinkGroup.sources.find((entry) => name === `${sinkGroup.name}.${entry.name}`);
    const group = config.sourceGroups.find((entry) => entry.name === sourceGroup)!;
    const ofSet = targets.filter(({ table }) => table.set === name);
    return [...(database?.environments.values() ?? [])].flatMap((environment) =>
      [...new Set(ofSet.map(({ table }) => table.service))].map((service): Flow => ({
        sink: name,
        env: environment.env,
        service,
        server: sinkGroup.servers.get(environment.server)!,
        database: environment.database,
        group,
        feeds: listFeeds(group, environment.env, service),
        tables: ofSet
          .filter(({ table }) => table.service === service)
          .map((target) => flowTable(target, sinkGroup, config)),
      })),
    );
  });
}

/** Lists the source databases that feed an environment of the sink. */
export function listFeeds(group: SourceGroup, sinkEnv: string, service: string): readonly Feed[] {
  const sources = tenantsOf(group, sinkEnv).filter(
    ({ name }) => group.pattern === 'db-per-tenant' || name === service,
  );
  return sources.flatMap((source) => feedsOf(source, group, sinkEnv));
}

function feedsOf({ at, name, environments }: Source, group: SourceGroup, sinkEnv: string): Feed[] {
  return [...environments.values()]
    .filter(({ targetSinkEnv }) => targetSinkEnv === sinkEnv)
    .map(({ env, server, database, customerId }) => ({
      at: { file: at.file, keys: [...at.keys, env] },
      tenant: name,
      env,
      server: group.servers.get(server)!,
      database,
      ...(customerId !== undefined && { customerId }),
    }));
}

function flowTable(
  { table, absent }: StagingTarget,
  group: SinkGroup,
  { services }: Config,
): FlowTable {
  const service = services.find(({ name }) => name === table.service)!;
  const { schema, table: name } = table.source;
  const source = service.tables.find((entry) => entry.schema === schema && entry.table === name);
  const sink = service.sinks
    .find((entry) => entry.sink === table.set)!
    .tables.find((entry) => isOf(entry, table))!;
  const writer = sink.pipeline?.writer ?? group.pipeline?.writer;
  const events =
    resolveEvents(group.pipeline, sink.pipeline) ??
    resolveEvents(
      { ...group.pipeline, events: 'recommended', ...(writer && { writer }) },
      sink.pipeline,
    )!;
  const includesOnly = source?.includeColumns !== undefined;
  return { table, columns: buildStagingColumns(table), absent, includesOnly, sink, events };
}

/** Returns true if a table of the configuration belongs to a definition. */
export function isOf(
  { schema, from }: SinkTable,
  table: Pick<ReplicatedTable, 'schema' | 'service' | 'source'>,
): boolean {
  const isSchema =
    table.schema.scope === 'tenant' ? schema === table.service : schema === table.schema.name;
  return isSchema && from.schema === table.source.schema && isSame(from.table, table.source.table);
}

/** Compares table names like SQL Server, which ignores case. */
function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
