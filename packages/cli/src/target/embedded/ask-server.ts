import { openSession, TargetError, type TargetAddress } from '@cdc-migrations/tracker';
import type { Cluster } from './cluster.ts';
import { readPostmasterFile } from './postmaster-file.ts';

/** Where the embedded servers listen, and nowhere else. */
export const HOST = '127.0.0.1';

/** Whose server answers on a port: `unknown` refuses our password, `busy` cannot be asked now. */
export type Answer = 'ours' | 'not ours' | 'unknown' | 'busy';

/** The server of a cluster as an address. */
export function serverAt({ password }: Cluster, port: number): TargetAddress['server'] {
  const name = 'embedded';
  return { name, host: HOST, port, user: 'postgres', password, sslmode: 'disable' };
}

/** What errors say of who listens; any other says nothing, for example that it does not answer in time. */
const ANSWERS: Readonly<Record<string, Answer>> = { ECONNREFUSED: 'not ours', '28P01': 'unknown' };

/** Asks who listens on a port: the server of the cluster has the very file that we see in its data directory. */
export async function askServer(cluster: Cluster, port: number): Promise<Answer> {
  const address = { server: serverAt(cluster, port), database: 'postgres' };
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
