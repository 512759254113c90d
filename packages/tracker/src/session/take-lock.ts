import { quoteLiteral } from '@cdc-migrations/sql-text';
import { tryUntil } from '@cdc-migrations/session';
import { jsonLiteral } from './json-literal.ts';
import { PLAIN_SETTINGS } from './plain-settings.ts';
import type { Rows, Session } from './session.ts';
import { TargetError } from './target-error.ts';

/** Who holds the lock of an apply. */
export interface LockHolder {
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  /** When that session began, in ISO 8601; null where we may not see it. */
  readonly since: string | null;
}

/** Another apply works on the same set in the same database. */
export class LockNotObtainedError extends Error {
  override readonly name = 'LockNotObtainedError';
  constructor(
    readonly set: string,
    readonly holder: LockHolder | undefined,
  ) {
    super(`another apply works on ${set}: ${describeHolder(holder)}; try again, or wait longer`);
  }
}

/** Describes who holds a lock: `pid 4711, application "cdc apply", user app, since 2026-01-31T12:00:00Z`. */
export function describeHolder(holder: LockHolder | undefined): string {
  if (!holder) return 'a session that has ended meanwhile';
  const { pid, application, user, since } = holder;
  const begin = since === null ? '' : `, since ${since}`;
  return `pid ${pid}, application "${application}", user ${user}${begin}`;
}

/** A session with a lock that a file waits for. */
export interface LockBlocker {
  /** 0: a prepared transaction, of which nothing else is known. */
  readonly pid: number;
  readonly application: string;
  readonly user: string;
  /** `idle in transaction`; null, as the times, where we may not see it. */
  readonly state: string | null;
  /** When its transaction began, in ISO 8601. */
  readonly transactionSince: string | null;
  /** When its last query began. */
  readonly querySince: string | null;
  /** Seconds since its transaction began. */
  readonly seconds: number | null;
}

/** `pid 4711, application "psql", user app, idle in transaction, for 12 s, last query at 2026-01-31T12:00:00Z`. */
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
 * Looks again and again, beside a transaction that has the lock of a name, who is in its way: by the session that holds
 * the lock of the apply, as PostgreSQL knows it only while the transaction waits. `take` gives who was last seen and
 * forgets it.
 */
export function watchBlockers(
  session: Session,
  name: string,
): { readonly take: () => readonly LockBlocker[]; readonly stop: () => void } {
  let seen: readonly LockBlocker[] = [];
  let isOver = false;
  const look = async () => {
    // What cannot be read is not known, and the connection that is lost is noticed elsewhere.
    const [found] = await Promise.all([
      session.query<LockBlocker>(blockersOf(name)),
      undoReads(session),
    ]).catch(() => [[]]);
    if (found.length > 0) seen = found;
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

/** Twice within the time that a file waits for a lock. */
const LOOK_EVERY_MS = 400;

/** Query of who is in the way of the transaction that has the lock of a name, whatever connection a pool gave it. */
function blockersOf(name: string): string {
  return `SELECT blocker.pid,
  coalesce(activity.application_name, '') AS application, coalesce(activity.usename, '') AS user, activity.state,
  ${utc('activity.xact_start')} AS "transactionSince", ${utc('activity.query_start')} AS "querySince",
  pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - activity.xact_start)::integer AS seconds
FROM (${lockHolders(name)}) AS waiting
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
 * Holds the lock of an apply of a set while `work` is done, without ever waiting in a queue. The lock is that of an open
 * transaction: a pooler keeps one connection to the target for it, and it is gone with the transaction. Between its
 * queries the transaction holds no snapshot, so it gets in nobody's way.
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
    // Without an answer the target ends the transaction with the connection.
    if (!session.isLost) await session.execute('ROLLBACK').catch(() => undefined);
  }
}

/**
 * Undoes what was read beside the lock: locks of tables would keep files of the same apply from changing them, and a read
 * that failed ends all that follow.
 */
export async function undoReads(session: Session): Promise<void> {
  await session.execute(`ROLLBACK TO SAVEPOINT ${READING}`);
}

const READING = 'cdc_reading';

/** An apply may take longer than an idle transaction may otherwise last. `transaction_timeout` came with PostgreSQL 17. */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY;
${PLAIN_SETTINGS}SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_show_all_settings()
WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout');
`;

/** Begins the transaction of the lock; a pool of statements ends the connection of a client that does. */
async function begin<Row>(session: Session, text: string): Promise<Rows<Row>> {
  try {
    return await session.query<Row>(BEGIN + text);
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'ECONNRESET') throw error;
    const hint =
      'a pool before the target must be one of transactions or sessions, not of statements';
    throw new TargetError(error.message, error.code, { hint });
  }
}

async function takeLock(
  session: Session,
  set: string,
  { timeoutMs, onWait }: LockOptions,
): Promise<void> {
  let hasTold = false;
  const isLocked = await tryUntil(timeoutMs, async () => {
    const [row] = await begin<{ locked: boolean }>(
      session,
      `SELECT pg_catalog.pg_try_advisory_xact_lock(${lockKey(lockName(set))}) AS locked;\nSAVEPOINT ${READING}`,
    );
    if (row!.locked) return true;
    await session.execute('ROLLBACK');
    if (!hasTold) onWait(await readHolder(session, set));
    hasTold = true;
    return undefined;
  });
  if (isLocked === undefined) throw new LockNotObtainedError(set, await readHolder(session, set));
}

/** Text of which the key of a lock is the hash: of an apply of a set, or of its work in a schema. */
export function lockName(set: string, schema?: string): string {
  return schema === undefined ? `cdc apply ${set}` : `cdc apply ${set} ${schema}`;
}

/** SQL expression of the key of a lock. */
export function lockKey(name: string): string {
  return `pg_catalog.hashtextextended(${quoteLiteral(name)}, 0)`;
}

/** Query of who holds the lock of a name: anybody who may connect can. */
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

/** A lock of an apply that is held. */
export interface HeldLock {
  /** Undefined for that of the whole set. */
  readonly schema: string | undefined;
  readonly holder: LockHolder;
}

/** Reads the locks of an apply of a set and of these schemas that are held now, in one query. */
export async function readLocks(
  session: Session,
  set: string,
  schemas: readonly string[],
): Promise<readonly HeldLock[]> {
  const places = [undefined, ...schemas];
  const names = places.map((schema) => lockName(set, schema));
  const rows = await session.read<LockHolder & { readonly n: number }>(`SELECT wanted.n, ${HOLDER}
FROM ${HELD}
JOIN pg_catalog.jsonb_array_elements_text(${jsonLiteral(names)}) WITH ORDINALITY AS wanted (name, n)
  ON ${KEY} = pg_catalog.hashtextextended(wanted.name, 0)
ORDER BY wanted.n`);
  return rows.map(({ n, ...holder }) => ({ schema: places[Number(n) - 1], holder }));
}
