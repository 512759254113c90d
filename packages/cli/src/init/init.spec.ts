import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdc, generate } from '../cdc.fixture.ts';
import { changesSince, emptyFolder, read, treeOf, write } from '../repo.fixture.ts';
import { PATTERNS, TYPES } from './scaffold-options.ts';

let workspace: string;
beforeEach(() => {
  workspace = emptyFolder();
  mkdirSync(join(workspace, '.git'));
});

const init = (...args: string[]) => cdc(['init', ...args], { cwd: workspace });

describe.each(PATTERNS)('init --pattern %s', (pattern) => {
  it.each(TYPES)('creates a repo with --type %s that generates SQL without warnings', (type) => {
    expect(init('apps/my-shop', '--pattern', pattern, '--type', type).code).toBe(0);
    const repo = join(workspace, 'apps/my-shop');
    const run = generate(repo);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain('created migrations/manifest.yaml');
    expect(generate(repo, ['--check']).code).toBe(0);
    expect(read(repo, 'migrations/schemas/create-schemas.sql')).toContain(
      pattern === 'db-shared' ? '"my_shop"' : '"first_customer"',
    );
  });
});

it('prints the next steps, and generate reports how to create a missing snapshot', () => {
  const { stdout } = init('shop', '--pattern=db-shared');
  expect(stdout).toContain(
    '\nNext:\n1. npx --no-install cdc manage-migrations generate --root shop generates',
  );
  const snapshot = 'generated/schemas/shop_nonprod.public.yaml';
  expect(stdout).toContain(`shop/${snapshot} is an example`);
  const repo = join(workspace, 'shop');
  write(repo, 'services/shop.yaml', read(repo, 'services/shop.yaml').replace('_nonprod', '_x'));
  expect(generate(repo).stderr).toContain('cdc manage-migrations schema-docs creates it');
});

it.each([
  ['package-lock.json', 'npx --no-install'],
  ['pnpm-lock.yaml', 'pnpm exec'],
  ['yarn.lock', 'yarn'],
])('with %s, prints next steps that run only the installed package: %s', (lockfile, run) => {
  writeFileSync(join(workspace, lockfile), '');
  const { next } = JSON.parse(init('shop', '--pattern=db-shared', '--json').stdout);
  expect(next[0]).toMatch(`${run} cdc manage-migrations generate --root shop generates`);
});

it('--dry-run --json writes no files, and prints all files and next steps', () => {
  const before = treeOf(workspace);
  const { stdout } = init('shop', '--pattern=db-shared', '--dry-run', '--json');
  const { files, next } = JSON.parse(stdout);
  expect(changesSince(before, workspace)).toEqual([]);
  expect(init('shop', '--pattern=db-shared').code).toBe(0);
  for (const { path, action, text } of files) {
    expect({ path, action, text }).toEqual({ path, action: 'create', text: read(workspace, path) });
  }
  expect(next).toHaveLength(4);
});

it('keeps or extends existing files, and refuses an existing service file', () => {
  write(workspace, '.gitignore', 'node_modules');
  write(workspace, '.github/workflows/cdc-migrations.yml', 'mine\n');
  write(workspace, 'services/acme.yaml', 'mine\n');
  const args = ['.', '--name=acme', '--pattern=db-shared'];
  const before = treeOf(workspace);
  expect(init(...args)).toEqual({
    code: 6,
    stdout: '',
    stderr:
      'services/acme.yaml: exists already; choose another folder, or move the existing file\n',
  });
  expect(changesSince(before, workspace)).toEqual([]);
  expect(init(...args, '--service=orders').stdout).toContain(
    'changed .gitignore\nkept .github/workflows/cdc-migrations.yml\n',
  );
  expect(read(workspace, '.gitignore')).toBe(
    'node_modules\n# The embedded PostgreSQL.\n.cdc/\n' +
      '# Packages, and the values of variables, which are secrets.\n.env\n.env.*\n',
  );
  expect(init(...args, '--service=orders').stdout).not.toMatch(/^(created|changed)/m);
});

describe('the workflow for CI', () => {
  const workflow = () => read(workspace, '.github/workflows/cdc-migrations.yml');
  const commands = () =>
    [...workflow().matchAll(/^ {6}- run: (.*)$/gm)].map(([, command]) => command);

  it('runs cdc in a workspace without Nx', () => {
    init('apps/shop', '--pattern=db-shared');
    const summary = '>> "$GITHUB_STEP_SUMMARY"';
    expect(commands()).toEqual([
      'npm ci',
      'npx --no-install cdc manage-migrations generate --check --root apps/shop',
      `npx --no-install cdc manage-migrations diff --base "origin/$BASE" --format markdown --root apps/shop ${summary} || [ $? -eq 1 ]`,
      'npm ci --ignore-scripts',
      'npx --no-install cdc manage-migrations generate --check --root apps/shop',
      `npx --no-install cdc manage-migrations apply --env prod --plan-out plan.json --format markdown --root apps/shop ${summary} || [ $? -eq 5 ]`,
      `npx --no-install cdc manage-migrations apply --env prod --plan plan.json --format markdown --root apps/shop ${summary}`,
    ]);
  });

  it('runs Nx with the package manager of the workspace if nx.json has the plugin', () => {
    writeFileSync(join(workspace, 'nx.json'), '{ "plugins": ["@cdc-migrations/nx"] }');
    writeFileSync(join(workspace, 'pnpm-lock.yaml'), '');
    init('.', '--name=shop', '--pattern=db-shared');
    expect(commands()).toEqual([
      'corepack enable',
      'pnpm install --frozen-lockfile',
      'pnpm exec nx affected -t check-generated "--base=origin/$BASE"',
      'pnpm exec nx affected -t migrations "--base=origin/$BASE"',
      'corepack enable',
      'pnpm install --frozen-lockfile --ignore-scripts',
      'pnpm exec nx run-many -t check-generated',
      'pnpm exec nx run-many -t apply --args=--env=prod',
    ]);
  });

  it('is not created with --ci=none', () => {
    init('shop', '--pattern=db-shared', '--ci=none');
    expect(existsSync(join(workspace, '.github'))).toBe(false);
  });
});

it.each([
  [['x', '--pattern=neither'], "argument 'neither' is invalid. Allowed choices are"],
  [['x'], "required option '--pattern' not specified; expected db-per-tenant or db-shared"],
  [['x', '--pattern=db-shared', '--name=a.b'], '--name "a.b": expected a letter followed by'],
  [['2nd', '--pattern=db-shared'], '--name "2nd": expected a letter followed by'],
  [['x', '--pattern=db-shared', '--name=on'], '--name "on": expected a letter'],
  [['x', '--pattern=db-shared', '--service=public'], '--service: "public" cannot be a tenant'],
])('refuses %j', (args, message) => {
  const before = treeOf(workspace);
  expect(init(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  expect(changesSince(before, workspace)).toEqual([]);
});
