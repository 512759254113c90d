import { join } from 'node:path';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { CASES, copyOf, edit, read, write } from '../repo.fixture.ts';
import { runCommand } from './cli.fixture.ts';

const SINK = 'sink-groups.yaml';

/** An implementation repo of three tables for the tenants avansas and blue, with facts about its target. */
export interface SmallTarget {
  readonly root: string;
  /** Returns the variables with the server's address, for commands. */
  env(address: Pick<PostgresServer, 'host' | 'port'>): NodeJS.ProcessEnv;
  /** Copies the repo with another database as its sink. */
  copyFor(database: string): string;
}

const OPTIONS = ['--env', 'nonprod'] as const;

/** The generated repo, which the tests of a file share. It is never changed. */
let generated: Promise<string> | undefined;

/** Returns a copy of the generated repo. Its address and password are those of the server. */
export async function generateSmall(server: PostgresServer): Promise<SmallTarget> {
  const root = copyOf(await (generated ??= generateOnce()));
  return {
    root,
    env: ({ host, port }) => ({
      PG_HOST: host,
      PG_PORT: String(port),
      PG_USER: 'postgres',
      POSTGRES_PASSWORD: server.password,
    }),
    copyFor: (database) => {
      const copy = copyOf(root);
      write(copy, SINK, read(copy, SINK).replace('directory_dev', database));
      return copy;
    },
  };
}

async function generateOnce(): Promise<string> {
  const root = copyOf(join(CASES, '_base'));
  const place = "host: '${PG_HOST}', port: '${PG_PORT}', user: '${PG_USER}', sslmode: disable,";
  edit(root, SINK, 'host: pg.example, port: 5432, user: cdc,', place);
  const { exitCode, stderr } = await runCommand(root, ['generate']);
  if (exitCode !== 0) throw new Error(stderr);
  return root;
}

/** Returns the arguments of a command on its target. */
export function small(command: string, ...args: readonly string[]): readonly string[] {
  return [...command.split(' '), ...OPTIONS, ...args];
}

/** SQL of the existing table in the target. */
export const EXISTING = 'CREATE TABLE public.customer_user (fraver_id integer PRIMARY KEY)';

/** Stages inserts of `Actor` in a schema. The keys are also the offsets. */
export function stageActors(
  schema: string,
  [first, last]: readonly [number, number],
  name = "'navn'",
): string {
  return `INSERT INTO "${schema}"."stg_Actor" ("actno", "Navn", "_customer_id", "__source_db", "__source_table",
    "__cdc_operation", "__kafka_partition", "__kafka_offset")
  SELECT n, ${name}, '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Actor', 'c', 0, n
  FROM pg_catalog.generate_series(${first}, ${last}) AS n`;
}
