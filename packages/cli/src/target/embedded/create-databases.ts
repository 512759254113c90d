import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import {
  openSession,
  TargetError,
  type Session,
  type TargetAddress,
} from '@cdc-migrations/tracker';
import { CommandError } from '../../exit-code.ts';
import { readIfThere } from '../../repo/repo-files.ts';
import { locateTargetError } from '../locate-target-error.ts';

/** A database of the embedded server for one set. */
export interface EmbeddedDatabase {
  readonly root: string;
  /** Name of the target in messages. */
  readonly label: string;
  /** Name of the set and of the database. */
  readonly name: string;
  /** Role that the files of the set grant to. */
  readonly role: string;
}

/**
 * Creates missing databases, with the tables of `existing/<sink>.sql`, and missing roles.
 *
 * @throws CommandError if the file or the server fails
 */
export async function createDatabases(
  server: TargetAddress['server'],
  databases: readonly EmbeddedDatabase[],
): Promise<void> {
  const session = openSession({ server, database: 'postgres' }, 'cdc embedded');
  try {
    for (const database of databases) {
      await createDatabase(session, server, database).catch((error: unknown) => {
        throw locateTargetError(error, database.label);
      });
    }
  } finally {
    await session.close();
  }
}

async function createDatabase(
  session: Session,
  server: TargetAddress['server'],
  { root, name, role }: EmbeddedDatabase,
): Promise<void> {
  const [found] = await session.query<Found>(`SELECT
  EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(name)}) AS database,
  EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${quoteLiteral(role)}) AS role`);
  if (!found!.role) await session.query(`CREATE ROLE ${quoteIdentifier(role)} LOGIN`);
  if (found!.database) return;
  await session.execute(`CREATE DATABASE ${quoteIdentifier(name)}`);
  const existing = readExisting(root, name);
  if (existing === undefined) return;
  const target = openSession({ server, database: name }, 'cdc embedded');
  try {
    await target.execute(existing.text);
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    await target.close();
    await session.execute(`DROP DATABASE ${quoteIdentifier(name)}`);
    throw new CommandError(`${existing.file}: ${error.message}`);
  } finally {
    await target.close();
  }
}

interface Found {
  readonly database: boolean;
  readonly role: boolean;
}

/** Reads `existing/sink_asma.directory.sql` or `existing/directory.sql`. */
function readExisting(
  root: string,
  set: string,
): { readonly file: string; readonly text: string } | undefined {
  for (const name of [set, set.slice(set.indexOf('.') + 1)]) {
    const file = `existing/${name}.sql`;
    const text = readIfThere(root, file);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}
