import type { Server, SourceGroup } from '@cdc-migrations/config';
import { hashedName, MAX_NAME_BYTES } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Feed, Flow } from './plan-flows.ts';

/** Returns the topic prefix of a source database, before schema and table: `adopus-prod.AdOpusFretex`. */
export function topicPrefix({ group }: Pick<Flow, 'group'>, { env, database }: Feed): string {
  return `${connectorPrefix({ group }, env)}.${topicPart(database)}`;
}

/** Returns the common topic prefix of all databases of a source group in an environment. */
export function connectorPrefix({ group }: Pick<Flow, 'group'>, env: string): string {
  return topicPart(`${group.name}-${env}`);
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
