import type { Server, SourceGroup } from '@cdc-migrations/config';
import { hashedName, MAX_NAME_BYTES } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Feed, Flow } from './plan-flows.ts';

/**
 * Returns the topic prefix of a source database, before schema and table: `adopus-prod.AdOpusFretex`. If several
 * databases would have the same one, all but the first in the configuration get another: the events of two databases in
 * one topic would be merged into each other's tables.
 */
export function topicPrefix({ group }: Pick<Flow, 'group'>, feed: Feed): string {
  const plain = `${connectorPrefix({ group }, feed)}.${topicPart(feed.database)}`;
  const isRival = group.type === 'postgres' && !isFirst(group, feed);
  const { host, port } = feed.server;
  return isRival ? hashedName(plain, `${host}:${port}/${feed.database}`) : plain;
}

/**
 * Returns the common topic prefix of the databases of a source group that are on a server, in an environment. A SQL
 * Server with a database that another server has too gets its name in the prefix.
 */
export function connectorPrefix(
  { group }: Pick<Flow, 'group'>,
  { env, server }: Pick<Feed, 'env' | 'server'>,
): string {
  const isOwn = databasesOf(group, env).every(
    (one) => !isSameServer(one.server, server) || isFirst(group, { env, ...one }),
  );
  const isShared = group.type === 'postgres' || isOwn;
  return sourceName({ group }, env) + (isShared ? '' : `-${topicPart(server.name)}`);
}

/**
 * Returns the name of the connector of a source database in its group and environment: the server for SQL Server, else
 * the database, with its server if an earlier one has a database of the same name.
 */
export function connectorName(group: SourceGroup, { env, server, database }: Feed): string {
  if (group.type === 'mssql') return server.name;
  const first = databasesOf(group, env).find((one) => one.database === database);
  const isOwn = !first || isSameServer(first.server, server);
  return isOwn ? database : `${database}-${server.name}`;
}

/** Returns the name of a source group in an environment: `adopus-prod`. */
export function sourceName({ group }: Pick<Flow, 'group'>, env: string): string {
  return topicPart(`${group.name}-${env}`);
}

/** Databases of a group in an environment, in the order of the configuration. */
function databasesOf({ sources, servers }: SourceGroup, env: string) {
  return sources.flatMap(({ environments }) =>
    [...environments.values()]
      .filter((one) => one.env === env)
      .map(({ server, database }) => ({ server: servers.get(server)!, database })),
  );
}

/** Tests if a database is the first of those whose topics would have the same names. */
function isFirst(
  group: SourceGroup,
  { env, server, database }: Pick<Feed, 'env' | 'server' | 'database'>,
): boolean {
  const first = databasesOf(group, env).find(
    (one) => topicPart(one.database) === topicPart(database),
  );
  // A connector of SQL Server reads all databases of its server.
  const isAnother = group.type === 'postgres' && first?.database !== database;
  return !first || (isSameServer(first.server, server) && !isAnother);
}

/** Returns the end of a topic: `dbo.Actor`. */
export function topicOf({ source }: Pick<ReplicatedTable, 'source'>): string {
  return `${topicPart(source.schema)}.${topicPart(source.table)}`;
}

/** Converts a name like Debezium does for topics: other characters become `_`. */
function topicPart(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_');
}

/**
 * Returns the name of the publication and the slot of a PostgreSQL database: `cdc_chat_dev`. A slot name allows few
 * characters and is unique in a server. If several databases would have the same name, the one with exactly this name
 * keeps it, otherwise the first in the configuration. The others get a hash: `cdc_chat_dev_1a2b3c4d`.
 */
export function carrierName(
  groups: readonly SourceGroup[],
  { server, database }: { readonly server: Server; readonly database: string },
): string {
  const plain = plainCarrierName(database);
  const rivals = groups
    .filter(({ type }) => type === 'postgres')
    .flatMap(({ servers, sources }) =>
      sources.flatMap(({ environments }) =>
        [...environments.values()].filter((one) => isSameServer(servers.get(one.server), server)),
      ),
    )
    .map((one) => one.database)
    .filter((name) => plainCarrierName(name) === plain);
  const owner = rivals.find((name) => `cdc_${name}` === plain) ?? rivals[0] ?? database;
  return owner === database ? plain : hashedName(plain, database);
}

function plainCarrierName(database: string): string {
  return `cdc_${database}`
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .slice(0, MAX_NAME_BYTES);
}

function isSameServer(one: Server | undefined, other: Server): boolean {
  return one?.host === other.host && one.port === other.port;
}
