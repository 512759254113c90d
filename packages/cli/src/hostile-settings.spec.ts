import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { copyAdopus, runCommand, sinkEnv } from './target/cli.fixture.ts';

const FEW = ['--env', 'prod', '--schema', 'blue'];

/**
 * All settings at once, on the role that commands connect as. `tools/e2e/src/hostile-settings.spec.ts` tests each of
 * them.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  quote_all_identifiers: 'on',
  xmloption: 'document',
  datestyle: 'German',
  intervalstyle: 'sql_standard',
  timezone: 'Asia/Kathmandu',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  standard_conforming_strings: 'off',
  backslash_quote: 'off',
  array_nulls: 'off',
  transform_null_equals: 'on',
  search_path: 'nowhere',
  default_tablespace: 'pg_default',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  synchronous_commit: 'off',
  row_security: 'off',
  check_function_bodies: 'off',
  'plpgsql.extra_errors': 'all',
  'plpgsql.variable_conflict': 'use_column',
  client_min_messages: 'error',
  lock_timeout: '3s',
  statement_timeout: '1min',
  idle_in_transaction_session_timeout: '500ms',
  idle_session_timeout: '2s',
  transaction_timeout: '1min',
  work_mem: '64kB',
  max_parallel_workers_per_gather: '8',
  parallel_setup_cost: '0',
  debug_parallel_query: 'regress',
  from_collapse_limit: '1',
  join_collapse_limit: '1',
  enable_hashjoin: 'off',
  enable_indexscan: 'off',
};

it('commands succeed with unusual settings of their role', async () => {
  const server: PostgresServer = await startPostgres({ major: 18 });
  const repo = copyAdopus('directory');
  try {
    await server.createRole('cdc_sink');
    await server.createRole('cdc_owner', { attributes: 'CREATEDB' });
    await server.createDatabase({ name: 'directory', owner: 'cdc_owner' });
    const superuser = server.connect({ database: 'directory', max: 1, onnotice: () => {} });
    for (const [name, value] of Object.entries(SETTINGS))
      await superuser.unsafe(`ALTER ROLE cdc_owner SET ${name} = '${value}'`);
    const env = sinkEnv(server);
    for (const name of Object.keys(env)) {
      if (/_(USER|PASSWORD)$/.test(name)) env[name] = 'cdc_owner';
    }
    const run = async (...args: readonly string[]) => {
      const { exitCode, stdout, stderr } = await runCommand(repo.root, args, env);
      return { exitCode, output: exitCode === 0 ? '' : stdout + stderr };
    };
    const done = { exitCode: 0, output: '' };
    await runCommand(repo.root, ['generate'], { CDC_DB_USER: 'cdc_sink' });
    expect(await run('apply', ...FEW)).toEqual(done);
    expect(await run('status', ...FEW)).toEqual(done);
    expect(await run('check', ...FEW)).toEqual(done);
    const sink = server.connect({ database: 'directory', user: 'cdc_sink', max: 1 });
    await sink.unsafe(`
      INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (1, 'én', gen_random_uuid(), 'c', 0, 1), (2, 'to', gen_random_uuid(), 'c', 0, 2),
        (1, NULL, NULL, 'd', 0, 3), (3, NULL, NULL, 'x', 0, 4)`);
    expect(await run('merge', ...FEW)).toEqual(done);
    expect(await superuser`SELECT "DistriktID" AS id FROM blue."Distrikt"`).toEqual([{ id: 2 }]);
    expect(await superuser`SELECT reason FROM cdc_management.dead_letter`).toEqual([
      { reason: `unknown operation 'x'` },
    ]);
    await superuser`DELETE FROM cdc_management.dead_letter`;
    expect(await run('apply', '--again', ...FEW)).toEqual(done);
    expect(await run('check', ...FEW)).toEqual(done);
    expect(await run('status', ...FEW)).toEqual(done);
    await superuser`DELETE FROM cdc_management.migration_history WHERE schema_name = 'blue'`;
    expect(await run('baseline', ...FEW)).toEqual(done);
    expect(await run('apply', '--dry-run', ...FEW)).toEqual(done);
  } finally {
    await server.stop();
    repo.remove();
  }
});
