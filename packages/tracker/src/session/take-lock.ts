import { quoteLiteral } from '@cdc-migrations/sql-text';
import { tryUntil } from './back-off.ts';
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
  pg_catalog.to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since`;

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
