import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { edit, write } from '../repo.fixture.ts';
import { runCommand } from '../target/cli.fixture.ts';
import {
  EXISTING,
  generateSmall,
  small,
  type SmallTarget,
} from '../target/small-target.fixture.ts';

/** Returns the names of the first customers: `c001`, `c002`. */
export function customers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `c${String(index + 1).padStart(3, '0')}`);
}

/** Generates a small repo with `count` customers and these waves in `sink-groups.yaml`. */
export async function generateRollout(
  server: PostgresServer,
  count: number,
  waves: readonly string[],
): Promise<SmallTarget> {
  const target = await generateSmall(server);
  write(
    target.root,
    'source-groups.yaml',
    `adopus:
  pattern: db-per-tenant
  type: mssql
  servers:
    default: { host: db.example, port: 1433, user: cdc, password: '\${MSSQL_PASSWORD}' }
  sources:
${customers(count)
  .map((name) => `    ${name}: { schemas: [dbo], nonprod: { server: default, database: ${name} } }`)
  .join('\n')
  .replace('database: c001', 'database: AdOpusTest')}
`,
  );
  const list = waves.map((wave) => `    - ${wave}\n`).join('');
  edit(target.root, 'sink-groups.yaml', '  servers:\n', `  waves:\n${list}  servers:\n`);
  const { exitCode, stderr } = await runCommand(target.root, ['generate']);
  if (exitCode !== 0) throw new Error(stderr);
  return target;
}

/** A repo of a rollout with its own database. */
export interface Rollout {
  readonly root: string;
  readonly database: string;
  readonly env: NodeJS.ProcessEnv;
  run(...args: readonly string[]): ReturnType<typeof runCommand>;
  query(text: string): Promise<readonly Record<string, unknown>[]>;
}

/** Copies the repo and creates a database that has only the existing table. */
export async function openRollout(server: PostgresServer, target: SmallTarget): Promise<Rollout> {
  const database = await server.createDatabase();
  const root = target.copyFor(database);
  const env = target.env(server);
  const query: Rollout['query'] = async (text) => {
    const sql = server.connect({ database, max: 1, fetch_types: false, onnotice: () => {} });
    try {
      return (await sql.unsafe(text).simple()) as never;
    } finally {
      await sql.end();
    }
  };
  await query(EXISTING);
  return {
    ...{ root, database, env, query },
    run: (command, ...args) => runCommand(root, small(command!, ...args), env),
  };
}
