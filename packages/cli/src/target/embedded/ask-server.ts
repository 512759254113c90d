import { openSession, TargetError } from '@cdc-migrations/tracker';
import type { Cluster } from './cluster.ts';
import { readPostmasterFile, serverAt } from './postmaster-file.ts';

/** Whose server answers: `unknown` refuses us, `busy` cannot be asked now. */
export type Answer = 'ours' | 'not ours' | 'unknown' | 'busy';

/** What errors say of who listens; any other says nothing, for example that it does not answer in time. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  ECONNREFUSED: 'not ours',
  ENOENT: 'not ours',
  ENOTSOCK: 'not ours',
  '28P01': 'unknown',
  '28000': 'unknown',
};

/** Asks who listens: the server of the cluster has the very file that we see in its data directory. */
export async function askServer(cluster: Cluster): Promise<Answer> {
  const address = { server: serverAt(cluster), database: 'postgres' };
  const session = openSession(address, 'cdc embedded');
  try {
    const [row] = await session.query<{ text: string }>(
      `SELECT pg_catalog.pg_read_file('postmaster.pid') AS text`,
    );
    return row!.text === readPostmasterFile(cluster)?.text ? 'ours' : 'not ours';
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    return ANSWERS[error.code] ?? 'busy';
  } finally {
    await session.close();
  }
}
