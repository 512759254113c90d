import type { Config } from '@cdc-migrations/config';
import { MissingVariablesError } from '@cdc-migrations/session';
import {
  EmptyDatabaseError,
  MissingTablesError,
  planCustomers,
  readCatalogs,
  SourceError,
  type SourcePlan,
} from '@cdc-migrations/introspect';
import { countOf } from '../count-of.ts';
import { resolveRepoServer } from '../repo/resolve-repo-server.ts';
import { runAll, SOURCE_JOBS } from '../source/run-all.ts';
import { fault, note, ok, type Finding } from './finding.ts';

export interface SourcesOptions {
  readonly env: string;
  readonly timeoutMs: number;
}

/** Checks that the sources of an environment answer and have all tables of the services. */
export async function examineSources(
  root: string,
  config: Config,
  { env, timeoutMs }: SourcesOptions,
): Promise<readonly Finding[]> {
  const plans = planCustomers(config, env, undefined);
  if (plans.length === 0) {
    return [
      note('sources', `no source has the environment ${env}`, 'nothing, if that is intended'),
    ];
  }
  const outcomes = await runAll(plans, SOURCE_JOBS, (plan) => examineSource(root, plan, timeoutMs));
  return outcomes.map((outcome) => {
    if (outcome.kind === 'failed') throw outcome.error;
    return outcome.value;
  });
}

async function examineSource(root: string, plan: SourcePlan, timeoutMs: number): Promise<Finding> {
  const { group, source: name, server, database, selections } = plan;
  const about = `source ${group.name} ${name}`;
  try {
    const source = { type: group.type, server: resolveRepoServer(root, server), database };
    const catalogs = (await readCatalogs(source, selections, { timeoutMs })) ?? [];
    const tables = catalogs.reduce((sum, catalog) => sum + catalog.tables.length, 0);
    return ok(about, `is reachable and has ${countOf(tables, 'table')} of the services`);
  } catch (error) {
    if (error instanceof MissingVariablesError) {
      const says = `${error.names.join(', ')} not set`;
      return fault(about, says, 'set them in the environment of this command');
    }
    if (!(error instanceof SourceError)) throw error;
    return fault(about, error.message, solutionOf(error));
  }
}

function solutionOf(error: SourceError): string {
  return error instanceof MissingTablesError || error instanceof EmptyDatabaseError
    ? 'grant the login access to them, create them, or remove them from services'
    : 'follow the instruction in the message';
}
