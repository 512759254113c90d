import { randomUUID } from 'node:crypto';
import { quoteLiteral } from '@cdc-migrations/sql-text';
import { tryUntil } from '@cdc-migrations/session';
import { jsonLiteral } from './json-literal.ts';
import { PLAIN_SETTINGS } from './plain-settings.ts';
import type { Rows, Session } from './session.ts';
import { TargetError } from './target-error.ts';

/** Session that holds the lock of an apply. */
export interface LockHolder {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  /** Start of that session in ISO 8601. Null if it is not visible for us. */
  readonly since: string | null;
}

/** Error: another apply is running on the same set in the same database. */
export class LockNotObtainedError extends Error {
  override readonly name = 'LockNotObtainedError';
  constructor(
    readonly set: string,
    readonly holder: LockHolder | undefined,
  ) {
    super(
      `another apply is running on ${set}: ${describeHolder(holder)}; try again, or wait longer`,
    );
  }
}

/** Describes the holder of a lock: `pid 4711, application "cdc apply", user app, since 2026-01-31T12:00:00Z`. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (!holder) return 'a session that has ended';
  const { pid, application, user, since } = holder;
  const begin = since === null ? '' : `, since ${since}`;
  return `pid ${pid}, application "${application}", user ${user}${begin}`;
}

/** A session with a lock that a file waits for. */
export interface LockBlocker {
  /** Process id. 0 means a prepared transaction, of which nothing else is known. */
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  /** State such as `idle in transaction`. Null, like the times, if it is not visible for us. */
  readonly state: string | null;
  /** Start of its transaction in ISO 8601. */
  readonly transactionSince: string | null;
  /** Start of its last query. */
  readonly querySince: string | null;
  /** Seconds since the start of its transaction. */
  readonly seconds: number | null;
}

/**
 * Describes a blocker: `pid 4711, application "psql", user app, idle in transaction, for 12 s, last query at
 * 2026-01-31T12:00:00Z`.
 */
export function describeBlocker(blocker: LockBlocker): string {
  const { pid, application, user, state, seconds, querySince } = blocker;
  if (pid === 0) return 'a prepared transaction (see pg_prepared_xacts)';
  return [
    `pid ${pid}, application "${application}", user ${user}`,
    ...(state === null ? [] : [state]),
    ...(seconds === null ? [] : [`for ${seconds} s`]),
    ...(querySince === null ? [] : [`last query at ${querySince}`]),
  ].join(', ');
}

/**
 * Polls for sessions that block another one. It uses the session with the lock of the apply, because PostgreSQL knows
 * blockers only while the other one waits. `take` returns the last seen blockers and resets them.
 *
 * @param waiting query of the `pid` of the session that may wait: `lockHolders` or `taggedSessions`.
 * @param onStay is called with blockers that two looks in a row have seen, once for the same ones.
 */
export function watchBlockers(
  session: Session,
  waiting: string,
  onStay: (blockers: readonly LockBlocker[]) => void = () => undefined,
): { readonly take: () => readonly LockBlocker[]; readonly stop: () => void } {
  let seen: readonly LockBlocker[] = [];
  let [before, reported] = ['', ''];
  let isOver = false;
  const look = async () => {
    // An unreadable result is unknown, and a lost connection is noticed elsewhere.
    const [found] = await Promise.all([
      session.query<LockBlocker>(blockersOf(waiting)),
      undoReads(session),
    ]).catch(() => [[]]);
    if (found.length > 0) seen = found;
    const pids = found.map(({ pid }) => pid).join();
    if (!isOver && found.length > 0 && pids === before && pids !== reported) {
      reported = pids;
      onStay(found);
    }
    before = pids;
    if (!isOver) timer = setTimeout(() => void look(), LOOK_EVERY_MS);
  };
  let timer = setTimeout(() => void look(), LOOK_EVERY_MS);
  return {
    take: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    stop: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** Twice within the lock timeout of a file. */
const LOOK_EVERY_MS = 400;

/** A comment in front of a statement, by which `taggedSessions` finds its session whatever connection a pool gave it. */
export function newTag(): string {
  return `/* cdc ${randomUUID()} */ `;
}

/** Query of the session whose statement begins with a tag. */
export function taggedSessions(tag: string): string {
  return `SELECT pid FROM pg_catalog.pg_stat_activity WHERE pg_catalog.starts_with(query, ${quoteLiteral(tag)})`;
}

/** Query of the sessions that block others. */
function blockersOf(waiting: string): string {
  return `SELECT blocker.pid,
  coalesce(activity.application_name, '') AS application, coalesce(activity.usename, '') AS user, activity.state,
  ${utc('activity.xact_start')} AS "transactionSince", ${utc('activity.query_start')} AS "querySince",
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - activity.xact_start)::integer AS seconds
FROM (${waiting}) AS waiting
CROSS JOIN LATERAL (SELECT DISTINCT pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(waiting.pid)) AS pid) AS blocker
LEFT JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = blocker.pid
ORDER BY activity.xact_start, blocker.pid`;
}

function utc(time: string): string {
  return `pg_catalog.to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
}

interface LockOptions {
  readonly timeoutMs: number;
  readonly onWait: (holder: LockHolder | undefined) => void;
}

/**
 * Holds the lock of a set's apply during `work`, without ever waiting in a queue. The lock belongs to an open
 * transaction: a pooler keeps one connection for it, and the lock ends with the transaction. Between its queries the
 * transaction holds no snapshot, so it blocks nobody.
 *
 * @throws LockNotObtainedError
 */
export async function withLock<Result>(
  session: Session,
  set: string,
  options: LockOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    await takeLock(session, set, options);
    return await work();
  } finally {
    // Without a response the target ends the transaction with the connection.
    if (!session.isLost) await session.execute('ROLLBACK').catch(() => undefined);
  }
}

/**
 * Rolls back the reads next to the lock. Their table locks would block files of the same apply, and a failed read would
 * fail all later ones.
 */
export async function undoReads(session: Session): Promise<void> {
  await session.execute(`ROLLBACK TO SAVEPOINT ${READING}`);
}

const READING = 'cdc_reading';

/**
 * Begins the transaction of the lock without idle timeout, because an apply may take longer. `transaction_timeout` came
 * with PostgreSQL 17.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY;
${PLAIN_SETTINGS}SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_show_all_settings()
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout');
`;

/** Begins the transaction of the lock. A statement pool closes the connection of a client that does so. */
async function begin<Row>(session: Session, text: string): Promise<Rows<Row>> {
  try {
    return await session.query<Row>(BEGIN + text);
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'ECONNRESET') throw error;
    const hint = 'expected a pooler in transaction or session mode, found statement mode';
    throw new TargetError(error.message, error.code, { hint });
  }
}

async function takeLock(
  session: Session,
  set: string,
  { timeoutMs, onWait }: LockOptions,
): Promise<void> {
  let hasReported = false;
  const isLocked = await tryUntil(timeoutMs, async () => {
    const [row] = await begin<{ locked: boolean }>(
      session,
      `SELECT pg_catalog.pg_try_advisory_xact_lock(${lockKey(lockName(set))}) AS locked;\nSAVEPOINT ${READING}`,
    );
    if (row!.locked) return true;
    await session.execute('ROLLBACK');
    if (!hasReported) onWait(await readHolder(session, set));
    hasReported = true;
    return undefined;
  });
  if (isLocked === undefined) throw new LockNotObtainedError(set, await readHolder(session, set));
}

/** Returns the text whose hash is the key of a lock: of a set's apply, or of its work in a schema. */
export function lockName(set: string, schema?: string): string {
  return schema === undefined ? `cdc apply ${set}` : `cdc apply ${set} ${schema}`;
}

/** Builds the SQL expression of a lock's key. */
export function lockKey(name: string): string {
  return `pg_catalog.hashtextextended(${quoteLiteral(name)}, 0)`;
}

/** Builds a query of the holders of a named lock. Anybody who may connect can hold it. */
export function lockHolders(name: string): string {
  return `SELECT ${HOLDER}
FROM ${HELD}
WHERE ${KEY} = ${lockKey(name)}
LIMIT 1`;
}

const HOLDER = `activity.pid, activity.application_name AS application, activity.usename AS user,
  ${utc('activity.backend_start')} AS since`;

/** Advisory locks of this database, with the sessions that hold them. */
const HELD = `pg_catalog.pg_locks AS lock
JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = lock.pid AND lock.locktype = 'advisory' AND lock.granted
  AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`;

const KEY = '(lock.classid::bigint << 32 | lock.objid::bigint)';

async function readHolder(session: Session, set: string): Promise<LockHolder | undefined> {
  const [holder] = await session.read<LockHolder>(lockHolders(lockName(set)));
  return holder;
}

/** A held lock of an apply. */
export interface HeldLock {
  /** Undefined for the lock of the whole set. */
  readonly schema: string | undefined;
  readonly holder: LockHolder;
}

/** Reads the held locks of a set's apply and of these schemas, in one query. */
export async function readLocks(
  session: Session,
  set: string,
  schemas: readonly string[],
): Promise<readonly HeldLock[]> {
  const locations = [undefined, ...schemas];
  const names = locations.map((schema) => lockName(set, schema));
  const rows = await session.read<LockHolder & { readonly n: number }>(`SELECT wanted.n, ${HOLDER}
FROM ${HELD}
JOIN pg_catalog.jsonb_array_elements_text(${jsonLiteral(names)}) WITH ORDINALITY AS wanted (name, n)
  ON ${KEY} = pg_catalog.hashtextextended(wanted.name, 0)
ORDER BY wanted.n`);
  return rows.map(({ n, ...holder }) => ({ schema: locations[Number(n) - 1], holder }));
}
