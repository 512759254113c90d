import { setTimeout as sleep } from 'node:timers/promises';
import { mergeTable, renderInsert } from '@cdc-migrations/e2e';
import { createRandom, type Random } from '@cdc-migrations/event-model';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { type BreakableSession, openBreakableSession } from './breakable-session.ts';
import type { Delivery, RoundPlan } from './round-plan.ts';
import type { SoakEvent } from './soak-event.ts';
import { type SoakDatabase, type SoakTarget, TENANT } from './soak-target.ts';

/** Result of a round. */
export interface Played {
  readonly delivered: ReadonlyMap<ReplicatedTable, ReadonlyMap<SoakEvent, number>>;
  /** Merges that failed for another reason than an accident. */
  readonly failures: readonly string[];
  readonly accidents: number;
  readonly merges: number;
}

/** Errors of a merger that an accident explains: cancelled, terminated, connection lost. */
const ACCIDENTS = new Set([
  '57014',
  '57P01',
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'ECONNRESET',
  'EPIPE',
]);
const MERGED_WITHIN_MS = 60_000;
/** Shorter than the lock timeout of a merge. */
const LONGEST_LOCK_MS = 300;
const LOCK_NOT_AVAILABLE = '55P03';

/** Runs writers and mergers with accidents in parallel, then merges the rest. */
export async function playRound(
  plan: RoundPlan,
  target: SoakTarget,
  database: SoakDatabase,
): Promise<Played> {
  const mergers = Array.from({ length: plan.mergers }, () =>
    openBreakableSession(target.server, database),
  );
  const state = { writing: true, merges: 0, accidents: 0, failures: [] as string[] };
  const merging = mergers.map(async (session, number) => {
    const random = createRandom(plan.seed + number);
    while (state.writing) {
      const failure = await mergeSomething(session, plan, random);
      if (failure !== null) state.failures.push(failure);
      state.merges++;
      if (random.chance(0.3)) await sleep(random.integer(0, 5));
    }
  });
  const breaking = breakMergers(plan, database, mergers, state);
  const changing = changeLanes(plan, database, state);
  const locking = lockStaging(plan, database, state);
  const delivering = deliver(plan, database).finally(() => (state.writing = false));
  const others = [...merging, breaking, changing, locking];
  await Promise.allSettled([delivering, ...others]);
  const [delivered] = await Promise.all([delivering, ...others]);
  await mergeTheRest(plan, database);
  await Promise.all(mergers.map((session) => session.end()));
  return { ...state, delivered };
}

async function deliver(plan: RoundPlan, database: SoakDatabase): Promise<Played['delivered']> {
  const queue = [...plan.deliveries];
  const delivered = new Map(plan.tables.map((table) => [table, new Map<SoakEvent, number>()]));
  const write = async (_: unknown, number: number) => {
    const sql = database.connectSink(`writer ${number}`);
    for (let next = queue.shift(); next; next = queue.shift()) {
      await insertDelivery(sql, next);
      if (next.end === 'rollback') continue;
      const counts = delivered.get(next.table)!;
      for (const event of next.events) counts.set(event, (counts.get(event) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: plan.writers }, write));
  return delivered;
}

/** Runs one transaction of a writer. */
export async function insertDelivery(
  sql: Sql,
  { table, events, end, waitMs }: Delivery,
): Promise<void> {
  const staging = quoteQualified(TENANT, table.names.staging);
  const statement = renderInsert(
    staging,
    events.map(({ values }) => values),
  );
  if (end === 'commit' && waitMs === 0) {
    await sql.unsafe(statement).simple();
    return;
  }
  await sql.unsafe('BEGIN').simple();
  await sql.unsafe(statement).simple();
  await sleep(waitMs);
  await sql.unsafe(end).simple();
}

/** Runs one merge in any of the possible ways. Returns the error, unless it was an accident. */
export async function mergeSomething(
  session: BreakableSession,
  plan: Pick<RoundPlan, 'tables'>,
  random: Random,
): Promise<string | null> {
  const table = random.chance(0.4) ? null : random.pick(plan.tables);
  try {
    await session.run(async (sql) => {
      if (table) await mergeTable(sql, TENANT, table);
      else await sql`CALL cdc_management.run_pending_merges()`.simple();
    });
    return null;
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return ACCIDENTS.has(code ?? '') ? null : `${code}: ${message}`;
  }
}

async function breakMergers(
  plan: RoundPlan,
  { superuser, isPooled }: SoakDatabase,
  mergers: readonly BreakableSession[],
  state: { readonly writing: boolean; accidents: number },
): Promise<void> {
  const random = createRandom(plan.seed - 1);
  const every = plan.accidentEveryMs;
  while (every !== null && state.writing) {
    await sleep(random.integer(0, every));
    // A pooled server connection may belong to a writer a moment later.
    if (isPooled || random.chance(0.3)) {
      random.pick(mergers).breakConnection();
    } else {
      const end = random.chance(0.8) ? 'pg_terminate_backend' : 'pg_cancel_backend';
      await superuser.unsafe(
        `SELECT ${end}(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'merger' AND state = 'active'
         ORDER BY random() LIMIT 1`,
      );
    }
    state.accidents++;
  }
}

/** Locks a staging table for a while. */
async function lockStaging(
  plan: RoundPlan,
  database: SoakDatabase,
  state: { readonly writing: boolean; accidents: number },
): Promise<void> {
  const every = plan.lockEveryMs;
  if (every === null) return;
  const random = createRandom(plan.seed - 3);
  const sql = database.connectSuperuser('locker');
  await sql`SET lock_timeout = 100`;
  while (state.writing) {
    await sleep(random.integer(0, every));
    const staging = quoteQualified(TENANT, random.pick(plan.tables).names.staging);
    await sql.unsafe('BEGIN').simple();
    try {
      await sql.unsafe(`LOCK TABLE ${staging}`).simple();
      await sleep(random.integer(0, LONGEST_LOCK_MS));
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    }
    await sql.unsafe('ROLLBACK').simple();
    state.accidents++;
  }
}

/** Changes the lanes of tables that have some. */
async function changeLanes(
  plan: RoundPlan,
  { superuser }: SoakDatabase,
  state: { readonly writing: boolean },
): Promise<void> {
  const random = createRandom(plan.seed - 2);
  const tables = plan.tables.filter((_, n) => plan.lanes[n]);
  while (tables.length > 0 && state.writing) {
    await sleep(random.integer(0, 100));
    await superuser`UPDATE cdc_management.merge_control SET lanes = ${random.integer(1, 5)}
      WHERE table_name = ${random.pick(tables).name}`;
  }
}

/** Merges the rest. A merge of a lost client may still run and blocks its table until it ends. */
export async function mergeTheRest(
  { tables }: Pick<RoundPlan, 'tables'>,
  database: SoakDatabase,
): Promise<void> {
  const sql = database.connectSink('last merger');
  const counts = tables
    .map(({ names }) => `(SELECT count(*) FROM ${quoteQualified(TENANT, names.staging)})`)
    .join(' + ');
  for (const deadline = Date.now() + MERGED_WITHIN_MS; ;) {
    await sql`CALL cdc_management.run_pending_merges()`.simple();
    const [row] = await database.superuser.unsafe<{ staged: string }[]>(
      `SELECT ${counts} AS staged`,
    );
    if (Number(row?.staged) === 0) return;
    if (Date.now() > deadline) throw new Error(`${row?.staged} events are still staged`);
    await sleep(5);
  }
}
