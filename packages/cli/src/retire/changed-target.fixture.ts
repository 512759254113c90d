import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyOf, edit } from '../repo.fixture.ts';
import { type CommandRun, runCommand } from '../target/cli.fixture.ts';
import {
  EXISTING,
  generateSmall,
  small,
  type SmallTarget,
} from '../target/small-target.fixture.ts';

export const DATABASE = 'directory_dev';

/** A small repo and its database. Each test starts with the state after `prepare`. */
export interface ChangedTarget {
  readonly server: PostgresServer;
  readonly repo: SmallTarget;
  run(root: string, command: string, ...args: readonly string[]): Promise<CommandRun>;
  query(text: string): Promise<readonly Record<string, unknown>[]>;
  /** Copies the repo, edits its configuration and generates. Returns its folder, which the test must not change. */
  edited(path: string, before: string, after: string): Promise<string>;
  /** Restores the database to its state after `prepare`. */
  reset(): Promise<void>;
}

/** Edited copies of the repo without `configure`, by their edit. The versions of PostgreSQL share them. */
const shared = new Map<string, Promise<string>>();

export async function openChangedTarget(
  major: 15 | 18,
  {
    configure,
    prepare,
  }: {
    readonly configure?: (root: string) => void;
    readonly prepare: (target: ChangedTarget) => Promise<void>;
  },
): Promise<ChangedTarget> {
  const server = await startPostgres({ major });
  const repo = await generateSmall(server);
  const repos = configure ? new Map<string, Promise<string>>() : shared;
  const target: ChangedTarget = {
    server,
    repo,
    run: (root, command, ...args) => runCommand(root, small(command, ...args), repo.env(server)),
    async query(text) {
      const sql = server.connect({
        ...{ database: DATABASE, max: 1, fetch_types: false, onnotice: () => {} },
      });
      try {
        return (await sql.unsafe(text).simple()) as never;
      } finally {
        await sql.end();
      }
    },
    edited(path, before, after) {
      const key = [path, before, after].join('\0');
      const known = repos.get(key);
      if (known !== undefined) return known;
      const root = copyOf(repo.root);
      edit(root, path, before, after);
      const generated = runCommand(root, ['generate']).then((end) => {
        expect(end).toMatchObject({ exitCode: 0 });
        return root;
      });
      repos.set(key, generated);
      return generated;
    },
    async reset() {
      const sql = server.connect({ max: 1, onnotice: () => {} });
      await sql.unsafe(`DROP DATABASE ${DATABASE} WITH (FORCE)`);
      await sql.unsafe(`CREATE DATABASE ${DATABASE} TEMPLATE "${template}"`);
      await sql.end();
      // The copy represents the original database, which has lost no event.
      await target.query(
        'UPDATE cdc_management.crash_watch SET identity = cdc_management.server_identity()',
      );
    },
  };
  if (configure) {
    configure(repo.root);
    expect(await runCommand(repo.root, ['generate'])).toMatchObject({ exitCode: 0 });
  }
  await server.createDatabase({ name: DATABASE });
  await target.query(EXISTING);
  expect(await target.run(repo.root, 'apply')).toMatchObject({ exitCode: 0 });
  await prepare(target);
  const template = await server.createDatabase({ template: DATABASE });
  return target;
}
