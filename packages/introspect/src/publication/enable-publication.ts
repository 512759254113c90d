import { openPostgres, type PostgresSession } from '../postgres/open-postgres.ts';
import { DEFAULT_TIMEOUT_MS, type SourceDatabase, type SourceOptions } from '../source-database.ts';
import { SourceError } from '../source-error.ts';
import { withRetry } from '../with-retry.ts';
import {
  planPublication,
  renderPublicationSql,
  type PublicationOptions,
  type PublicationPlan,
  type PublicationTablePlan,
} from './plan-publication.ts';
import { readPublicationState, type PublicationRequest } from './publication-state.ts';

/** Options for adding tables to a publication. */
export interface EnablePublicationOptions extends SourceOptions, PublicationOptions {
  /** If true, makes the plan and changes nothing. */
  readonly dryRun: boolean;
}

/** Result for one table of a publication. */
export interface PublicationTableResult extends Omit<PublicationTablePlan, 'step' | 'sql'> {
  readonly state:
    'kept' | 'enabled' | 'would be enabled' | 'removed' | 'would be removed' | 'blocked' | 'failed';
  /** Error message of the server. */
  readonly reason?: string;
}

/** Results for a publication, its replication slot and its tables. */
export interface EnablePublicationResult {
  readonly plan: PublicationPlan;
  readonly publicationState:
    'kept' | 'created' | 'would be created' | 'changed' | 'would be changed' | 'blocked';
  readonly slotState:
    'kept' | 'created' | 'would be created' | 'left to the connector' | 'blocked' | 'failed';
  /** Reason why the slot failed. */
  readonly slotReason?: string;
  readonly tables: readonly PublicationTableResult[];
  /** The plan as a script for psql, for a login with more rights. */
  readonly sql: string;
}

/**
 * Adds tables of a PostgreSQL database to a publication and sets the replica identity that the keys of the definitions
 * need. It creates the replication slot on request. All findings are collected before any change. Each table is one
 * transaction, and a failure of one does not stop the others.
 *
 * @throws SourceError if the database cannot be read, or the publication cannot be created.
 */
export async function enablePublication(
  source: SourceDatabase,
  requests: readonly PublicationRequest[],
  options: EnablePublicationOptions,
): Promise<EnablePublicationResult> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, onEvent = () => undefined, dryRun } = options;
  const { database, server } = source;
  onEvent({ kind: 'connecting', database, host: server.host });
  const { session, state } = await withRetry(async () => {
    const opened = openPostgres(source, timeoutMs);
    try {
      const read = await opened.read((query) => readPublicationState(query, requests, options));
      return { session: opened, state: read };
    } catch (error) {
      await opened.close();
      throw error;
    }
  }, onEvent);
  try {
    const plan = planPublication(state, requests, options);
    const sql = renderPublicationSql(plan);
    if (dryRun || plan.step === 'blocked') return { plan, sql, ...describe(plan) };
    if (plan.step !== 'keep') await session.write(plan.sql.join(';\n'));
    const tables: PublicationTableResult[] = [];
    for (const table of plan.tables) {
      if (table.step === 'add' || table.step === 'remove') {
        onEvent({ kind: 'enabling', database, table: `${table.schema}.${table.table}` });
      }
      tables.push(await runTable(session, table));
    }
    const slot = await runSlot(session, plan);
    const publicationState = { keep: 'kept', create: 'created', change: 'changed' } as const;
    return { plan, sql, publicationState: publicationState[plan.step], ...slot, tables };
  } finally {
    await session.close();
  }
}

function describe(
  plan: PublicationPlan,
): Pick<EnablePublicationResult, 'publicationState' | 'slotState' | 'tables'> {
  return {
    publicationState: PUBLICATION[plan.step],
    slotState: SLOT[plan.slotStep],
    tables: plan.tables.map((entry) => resultOf(entry, TABLE[entry.step])),
  };
}

const PUBLICATION = {
  keep: 'kept',
  create: 'would be created',
  change: 'would be changed',
  blocked: 'blocked',
} as const;
const SLOT = {
  keep: 'kept',
  create: 'would be created',
  leave: 'left to the connector',
  blocked: 'blocked',
} as const;
const TABLE = {
  keep: 'kept',
  add: 'would be enabled',
  remove: 'would be removed',
  blocked: 'blocked',
} as const;

function resultOf(
  { schema, table, identity }: PublicationTablePlan,
  state: PublicationTableResult['state'],
): PublicationTableResult {
  return { schema, table, ...(identity && { identity }), state };
}

async function runTable(
  session: PostgresSession,
  table: PublicationTablePlan,
): Promise<PublicationTableResult> {
  if (table.step === 'keep') return resultOf(table, 'kept');
  if (table.step === 'blocked') return resultOf(table, 'blocked');
  try {
    await session.write(table.sql.join(';\n'));
    return resultOf(table, table.step === 'add' ? 'enabled' : 'removed');
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { ...resultOf(table, 'failed'), reason: error.message };
  }
}

/** Creates the slot. It comes last, because it retains WAL from its creation on. */
async function runSlot(
  session: PostgresSession,
  { slotStep, slotSql }: PublicationPlan,
): Promise<Pick<EnablePublicationResult, 'slotState' | 'slotReason'>> {
  if (slotStep === 'keep') return { slotState: 'kept' };
  if (slotStep !== 'create') return { slotState: 'left to the connector' };
  try {
    await session.write(slotSql.join(';\n'));
    return { slotState: 'created' };
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return { slotState: 'failed', slotReason: error.message };
  }
}
