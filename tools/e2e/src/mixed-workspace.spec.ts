import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');

/** Copies a whole workspace and builds it twice, so it runs with `CDC_LONG_TESTS=1` only. */
const describeLong = process.env['CDC_LONG_TESTS'] ? describe : describe.skip;

describeLong('a copy of this workspace, with both implementation repos', () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'cdc-mixed-'));
    run('git', ['clone', '-q', ROOT, '.']);
    cpSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    migrate('run-many');
    expect(changedFiles()).toEqual([]);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function run(command: string, args: readonly string[]): string {
    return execFileSync(command, args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', CDC_DB_USER: undefined },
    });
  }

  /** Runs the migrations. Returns the targets of implementation repos that did not come from the cache. */
  function migrate(...how: readonly string[]): readonly string[] {
    run(process.execPath, ['node_modules/nx/dist/bin/nx.js', ...how, '-t', 'migrations']);
    const { tasks } = JSON.parse(readFileSync(join(root, '.nx/cache/run.json'), 'utf8')) as {
      tasks: readonly { taskId: string; cacheStatus: string }[];
    };
    return tasks
      .filter(({ cacheStatus, taskId }) => cacheStatus === 'cache-miss' && !taskId.startsWith('@'))
      .map(({ taskId }) => taskId)
      .sort();
  }

  function changedFiles(): readonly string[] {
    return run('git', ['diff', '--name-only']).split('\n').filter(Boolean);
  }

  it('a change of one repo does not change the other', () => {
    const file = 'fixtures/asma/services/chat.yaml';
    const text = readFileSync(join(root, file), 'utf8');
    writeFileSync(
      join(root, file),
      text.replace('public.users: {}', 'public.users: { ignore_columns: [locale] }'),
    );
    const targets = migrate('affected', '--uncommitted');
    expect(targets).toEqual(['asma:migrations', 'asma:staging', 'asma:table-defs', 'asma:tables']);
    expect(changedFiles().filter((path) => !path.startsWith('fixtures/asma/'))).toEqual([]);
    run('git', ['checkout', '-q', '.']);
    appendFileSync(join(root, 'fixtures/adopus/services/adopus.yaml'), '# Seen.\n');
    expect(migrate('affected', '--uncommitted')).toEqual([
      'adopus:migrations',
      'adopus:table-defs',
    ]);
    expect(changedFiles()).toEqual(['fixtures/adopus/services/adopus.yaml']);
    run('git', ['checkout', '-q', '.']);
  });

  it('a change of staging-render changes only the staging files and manifests of both repos', () => {
    const file = 'packages/staging-render/templates/staging.sql.hbs';
    const text = readFileSync(join(root, file), 'utf8');
    writeFileSync(join(root, file), text.replace(/^-- /m, '-- Changed. '));
    const targets = migrate('affected', '--uncommitted');
    expect(targets).toEqual([
      ...['adopus:migrations', 'adopus:staging', 'asma:migrations', 'asma:staging'],
    ]);
    const others = changedFiles().filter(
      (path) => path !== file && !/\/(staging\/.*\.sql|manifest\.yaml)$/.test(path),
    );
    expect(others).toEqual([]);
    expect(changedFiles().length).toBeGreaterThan(50);
  });
});
