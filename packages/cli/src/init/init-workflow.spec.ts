import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { cdc, generate } from '../cdc.fixture.ts';
import { emptyFolder, read, write } from '../repo.fixture.ts';

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: object;
  readonly env?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const PATH = '.github/workflows/cdc-migrations.yml';

/** Lists security problems of a workflow. */
function securityProblems(workflow: Workflow): readonly string[] {
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([job, { steps }]) => steps.map((step, at) => ({ job, at, step })));
  const hasSecret = (value: unknown) => /secrets|github\.token/i.test(JSON.stringify(value ?? ''));
  return [
    ...(JSON.stringify(workflow.permissions) === '{"contents":"read"}' ? [] : ['permissions']),
    ...('pull_request_target' in workflow.on || 'workflow_run' in workflow.on ? ['trigger'] : []),
    ...(hasSecret(workflow.env) ? ['a secret of the workflow'] : []),
    ...jobs.flatMap(([name, job]) => [
      ...(job.permissions === undefined ? [] : [`${name}: permissions of its own`]),
      ...(hasSecret(job.env) ? [`${name}: a secret of the job`] : []),
      ...(hasSecret(job) && job.environment === undefined ? [`${name}: no environment`] : []),
      ...(hasSecret(job) && !/== 'push'/.test(job.if ?? '')
        ? [`${name}: secrets of a pull request`]
        : []),
      ...(hasSecret(job) &&
      job.steps.some(({ run }) =>
        /(?<!--no-)\b(ci|install)\b(?!.*(?:ignore-scripts|skip-build))/.test(run ?? ''),
      )
        ? [`${name}: install scripts before secrets`]
        : []),
    ]),
    ...steps.flatMap(({ job, at, step }) => {
      const label = `${job}, step ${at}`;
      return [
        ...(step.uses !== undefined && !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(step.uses)
          ? [`${label}: an action that is not pinned`]
          : []),
        ...(step.uses?.startsWith('actions/checkout@') &&
        step.with?.['persist-credentials'] !== false
          ? [`${label}: credentials persist`]
          : []),
        ...(step.run?.includes('${{') ? [`${label}: an expression in run`] : []),
        ...(hasSecret(step.uses) || hasSecret(step.with) || hasSecret(step.run)
          ? [`${label}: a secret outside of env`]
          : []),
        ...(hasSecret(step.env) && !/\bapply\b/.test(step.run ?? '')
          ? [`${label}: a secret that it does not need`]
          : []),
      ];
    }),
    ...(/^(postgres|root|sa)?$/.test(workflow.env?.['CDC_DB_USER'] ?? '')
      ? ['a sink role that is a superuser']
      : []),
  ];
}

const HOSTILE_FOLDERS = [
  'plain',
  'a b',
  'a;b',
  '$(touch x)',
  '`touch x`',
  "it's",
  'say "hi"',
  'a: b',
  'a #b',
  'a&b|c>d',
  '-rf',
  '--root=x',
  '*',
  '!x',
  '%s',
  '{a,b}',
  'æøå',
  '"',
  "'",
  'a:',
  '@x',
  '|',
];

/** Runs a command of the workflow in a shell with replaced `npx`, `pnpm` and `yarn`. */
function runShell(
  command: string,
  instead: string,
  env: Readonly<Record<string, string>> = {},
): { readonly status: number | null; readonly stderr: string; readonly printed: string } {
  const cwd = emptyFolder();
  const summary = 'summary.md';
  const functions = ['npx', 'pnpm', 'yarn'].map((name) => `${name}() { ${instead}; }; `).join('');
  const { stdout, status, stderr } = spawnSync(
    'bash',
    ['--norc', '-e', '-c', functions + command],
    {
      cwd,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], GITHUB_STEP_SUMMARY: join(cwd, summary), ...env },
    },
  );
  const isReported = command.includes('GITHUB_STEP_SUMMARY');
  return { status, stderr, printed: isReported ? read(cwd, summary) : stdout };
}

/** Returns the arguments that a shell parses from a command. */
function argumentsOf(command: string, env?: Readonly<Record<string, string>>): readonly string[] {
  const { printed, ...end } = runShell(command, `printf '%s\\0' "$@"`, env);
  expect(end).toEqual({ status: 0, stderr: '' });
  return printed.split('\0').slice(0, -1);
}

let workspace: string;
beforeEach(() => {
  workspace = emptyFolder();
  mkdirSync(join(workspace, '.git'));
});

const init = (...args: readonly string[]) => cdc(['init', ...args], { cwd: workspace });
const workflow = () => load(read(workspace, PATH)) as Workflow;
const runs = ({ jobs }: Workflow) =>
  Object.values(jobs).flatMap(({ steps }) =>
    steps.flatMap(({ run, env }) => (run === undefined ? [] : [{ run, env }])),
  );

describe('without Nx', () => {
  it.each(HOSTILE_FOLDERS)(
    'writes a secure workflow whose commands work in a folder %j',
    (name) => {
      const folder = `apps/${name}`;
      expect(init('--pattern=db-shared', '--name=shop', '--', folder)).toMatchObject({
        code: 0,
        stderr: '',
      });
      expect(securityProblems(workflow())).toEqual([]);
      const commands = runs(workflow()).filter(({ run }) => run.includes('manage-migrations'));
      const base = 'x; touch y $(z)';
      const markdown = ['--format', 'markdown', '--root', folder];
      expect(commands.map(({ run }) => argumentsOf(run, { BASE: base }).slice(3))).toEqual([
        ['generate', '--check', '--root', folder],
        ['diff', '--base', `origin/${base}`, ...markdown],
        ['generate', '--check', '--root', folder],
        ['apply', '--env', 'prod', '--plan-out', 'plan.json', ...markdown],
        ['apply', '--env', 'prod', '--plan', 'plan.json', ...markdown],
      ]);
    },
  );

  it('passes the diff step with changes and the plan step with unsafe changes, and fails on errors', () => {
    expect(init('--pattern=db-shared', '--name=shop', 'shop').code).toBe(0);
    const commands = runs(workflow()).filter(({ run }) => run.includes('GITHUB_STEP_SUMMARY'));
    const statuses = commands.map(({ run }) =>
      [0, 1, 2, 3, 5].map((code) => runShell(run, `return ${code}`).status !== 0),
    );
    expect(statuses).toEqual([
      [false, false, true, true, true],
      [false, true, true, true, false],
      [false, true, true, true, true],
    ]);
  });

  it.each(['-rf', '--version', '-h'])(
    'passes a top-level folder %j as a path, not as an option',
    (folder) => {
      expect(init('--pattern=db-shared', '--name=shop', '--', folder).code).toBe(0);
      expect(securityProblems(workflow())).toEqual([]);
      for (const { run } of runs(workflow()).filter(({ run }) => run.includes('--root')))
        expect(argumentsOf(run).at(-1)).toBe(`./${folder}`);
    },
  );

  it.each(['${{ secrets.X }}', 'a\\b', 'a\nb', 'a\u202eb', 'a\u001b[2Kb'])(
    'refuses a folder %j',
    (name) => {
      const run = init('--pattern=db-shared', '--name=shop', '--', `apps/${name}`);
      expect(run).toMatchObject({ code: 2, stdout: '' });
      expect(run.stderr).toMatch(
        /(which has a special meaning in CI|has a (control )?character.*); choose another folder\n$/,
      );
    },
  );

  it('prints next steps that work in a folder with spaces and quotes', () => {
    const { stdout } = init('--pattern=db-shared', '--name=shop', "it's a b");
    const [, command] = /^1\. (npx .*?) generates/m.exec(stdout)!;
    expect(argumentsOf(command!)).toEqual([
      '--no-install',
      'cdc',
      'manage-migrations',
      'generate',
      '--root',
      "it's a b",
    ]);
  });
});

describe.each(['npm', 'pnpm', 'yarn'])('with Nx and %s', (manager) => {
  it('writes a secure workflow that does not run the name of the base branch as a command', () => {
    writeFileSync(join(workspace, 'nx.json'), '{ "plugins": ["@cdc-migrations/nx"] }');
    const lockfile = { npm: 'package-lock.json', pnpm: 'pnpm-lock.yaml', yarn: 'yarn.lock' }[
      manager
    ]!;
    writeFileSync(join(workspace, lockfile), '');
    expect(init('apps/a b', '--name=shop', '--pattern=db-shared').code).toBe(0);
    expect(securityProblems(workflow())).toEqual([]);
    const affected = runs(workflow()).filter(({ run }) => run.includes('affected'));
    expect(affected).toHaveLength(2);
    for (const { run, env } of affected) {
      expect(env).toEqual({ BASE: '${{ github.base_ref }}' });
      expect(argumentsOf(run, { BASE: 'x; touch y $(z)' }).at(-1)).toBe(
        '--base=origin/x; touch y $(z)',
      );
    }
  });
});

it('securityProblems finds the problems of a workflow that an earlier init wrote', () => {
  const before = load(`
on: { pull_request: null, push: null }
env: { CDC_DB_USER: postgres }
jobs:
  apply:
    env: { PASSWORD: '\${{ secrets.PASSWORD }}' }
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
      - run: nx affected --base=origin/\${{ github.base_ref }}
`) as Workflow;
  expect(securityProblems(before)).toHaveLength(9);
});

it('init adds secrets and packages to .gitignore', () => {
  write(workspace, '.gitignore', '.env\n');
  init('.', '--name=shop', '--pattern=db-shared');
  const lines = read(workspace, '.gitignore').split('\n');
  expect(lines.filter((line) => line === '.env')).toHaveLength(1);
  for (const line of ['node_modules', '.env.*', '.cdc/']) expect(lines).toContain(line);
});

it('generate grants to a role that is not a superuser, and --check refuses a run with another role', () => {
  init('.', '--name=Shop', '--pattern=db-shared');
  const { env } = workflow();
  const role = env!['CDC_DB_USER']!;
  expect(generate(workspace, [], { CDC_DB_USER: role }).code).toBe(0);
  expect(read(workspace, 'migrations/manifest.yaml')).toContain(`\nrole: "${role}"\n`);
  expect(generate(workspace, ['--check'], { CDC_DB_USER: role }).code).toBe(0);
  const other = generate(workspace, ['--check']);
  expect(other).toMatchObject({
    code: 2,
    stderr: `migrations/manifest.yaml: the files grant privileges to the role "${role}", but CDC_DB_USER is not set; set it to ${role} wherever files are generated, or to postgres to grant the privileges to it instead\n`,
  });
});
