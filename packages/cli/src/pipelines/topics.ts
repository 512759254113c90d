import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Feed, Flow } from './plan-flows.ts';

/** Topics of a source database: `adopus-prod.AdOpusFretex`, in front of schema and table. */
export function topicPrefix({ group }: Pick<Flow, 'group'>, { env, database }: Feed): string {
  return `${connectorPrefix({ group }, env)}.${topicPart(database)}`;
}

/** Topics of all databases of a source group in an environment. */
export function connectorPrefix({ group }: Pick<Flow, 'group'>, env: string): string {
  return topicPart(`${group.name}-${env}`);
}

/** The end of a topic: `dbo.Actor`. */
export function topicOf({ source }: Pick<ReplicatedTable, 'source'>): string {
  return `${topicPart(source.schema)}.${topicPart(source.table)}`;
}

/** As Debezium writes a name in a topic: other letters become `_`. */
function topicPart(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_');
}

/** The publication and the slot of a database of PostgreSQL. */
export function carrierName(database: string): string {
  return `cdc_${database}`
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .slice(0, 63);
}
