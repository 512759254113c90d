import type { Config } from '@cdc-migrations/config';
import type { CaptureRequest, Lsn, Passed, SourcePlan } from '@cdc-migrations/introspect';
import { parseLsn } from '@cdc-migrations/introspect';
import { buildDefinitions, type TableDefinition } from '@cdc-migrations/table-defs';
import { readChangeCursors, TargetError, type ChangeCursor } from '@cdc-migrations/tracker';
import { readSnapshots } from '../repo/read-outputs.ts';
import { openTargets, type CommandTarget } from '../target/open-targets.ts';
import { withSession } from '../target/report-targets.ts';

/** Cursors of a target, or the reason why they cannot be read. */
type Cursors = readonly ChangeCursor[] | string;

/**
 * Reads the position that all consumers of the tables of a source database have passed. It is the lowest of the cursors
 * in the targets, for pipelines that read by LSN, and of the given position of the connector.
 */
export function passedReader(
  root: string,
  config: Config,
  { plan, env, given }: { readonly plan: SourcePlan; readonly env: string; readonly given?: Lsn },
): () => Promise<(table: CaptureRequest) => Passed> {
  const services = new Set(plan.services.map(({ name }) => name));
  const consumers = buildDefinitions(config, readSnapshots(root)).tables.filter(({ service }) =>
    services.has(service),
  );
  const byCursor = consumers.some(readsByLsn);
  const targets = byCursor ? openTargets({ root, env: sinkEnvOf(plan, env) }).targets : [];
  return async () => {
    const cursors = new Map<string, Cursors>();
    for (const target of targets) {
      const { name } = target.migrations.set;
      if (consumers.some((table) => table.set === name && readsByLsn(table)))
        cursors.set(name, await readCursors(target));
    }
    return ({ schema, table }) => {
      const ofTable = consumers.filter(
        ({ source }) => source.schema === schema && source.table === table,
      );
      return lowest(
        ofTable.map((consumer) =>
          readsByLsn(consumer) ? cursorOf(consumer, plan, cursors) : ofConnector(given),
        ),
      );
    };
  };
}

function readsByLsn(table: TableDefinition): boolean {
  return table.kind === 'replicated' && table.positions === 'lsn';
}

function sinkEnvOf({ group, source }: SourcePlan, env: string): string {
  return (
    group.sources.find(({ name }) => name === source)?.environments.get(env)?.targetSinkEnv ?? env
  );
}

async function readCursors(target: CommandTarget): Promise<Cursors> {
  try {
    return await withSession(target, 'cdc enable-cdc', readChangeCursors);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return `the cursors of ${target.label} cannot be read: ${error.message}`;
  }
}

function cursorOf(
  { set, schema, name, service, source }: TableDefinition,
  { group, source: tenant, database }: SourcePlan,
  cursors: ReadonlyMap<string, Cursors>,
): Passed {
  const found = cursors.get(set);
  if (found === undefined) return { reason: `${set} has no target in this environment` };
  if (typeof found === 'string') return { reason: found };
  const tenantSchema = group.pattern === 'db-shared' ? service : tenant;
  const schemaName = schema.scope === 'tenant' ? tenantSchema : schema.name;
  const own = found.filter(
    (cursor) =>
      cursor.schema === schemaName &&
      cursor.table === name &&
      cursor.sourceDatabase.toLowerCase() === database.toLowerCase(),
  );
  if (own.length > 0) return lowest(own.map(({ readTo }) => ({ lsn: parseLsn(readTo)! })));
  return {
    reason: `change_cursor of ${set} has no row of ${schemaName}.${name} from ${database} (${source.table}): no pipeline has read it yet`,
  };
}

function ofConnector(given: Lsn | undefined): Passed {
  return given === undefined
    ? { reason: 'give commit_lsn of the stored offset of the connector as --passed-lsn' }
    : { lsn: given };
}

function lowest(positions: readonly Passed[]): Passed {
  const unknown = positions.find(({ lsn }) => lsn === undefined);
  if (unknown) return unknown;
  const lsns = positions.flatMap(({ lsn }) => lsn ?? []).sort();
  return lsns[0] === undefined ? { reason: 'no definition has this table' } : { lsn: lsns[0] };
}
