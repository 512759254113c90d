import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetConfiguration } from '@nx/devkit';
import { load } from 'js-yaml';
import { addPlugin } from '../generators/add-plugin.cjs';
import { createEmptyWorkspace, type EmptyWorkspace } from './workspace.fixture.ts';

describe('addPlugin', () => {
  it.each([
    ['a file without plugins', '{}', '{\n  "plugins": [\n    "@cdc-migrations/nx"\n  ]\n}'],
    [
      'a file with other plugins and a comment',
      '{\n  // ours\n  "plugins": [\n    "@nx/js"\n  ]\n}\n',
      '{\n  // ours\n  "plugins": [\n    "@nx/js",\n    "@cdc-migrations/nx"\n  ]\n}\n',
    ],
  ])('adds the plugin to %s', (_, before, after) => {
    expect(addPlugin(before)).toBe(after);
    expect(addPlugin(after)).toBe(after);
  });

  it.each([
    '{ "plugins": [{ "plugin": "@cdc-migrations/nx", "options": {} }] }',
    '{ "plugins": ["@cdc-migrations/nx/plugin"] }',
  ])('does not change %s', (text) => expect(addPlugin(text)).toBe(text));

  it.each([
    ['{\n  "plugins": [\n', 'nx.json:3: CloseBracketExpected; fix it first'],
    ['{ "plugins": {} }', 'nx.json plugins: expected a list'],
  ])('refuses %j', (text, message) => expect(() => addPlugin(text)).toThrow(message));
});

describe('the generators in a workspace', () => {
  let workspace: EmptyWorkspace;
  const read = (path: string) => readFileSync(join(workspace.root, path), 'utf8');
  const generate = (...args: string[]) =>
    workspace.nx('generate', `@cdc-migrations/nx:${args[0]}`, ...args.slice(1), '--no-interactive');

  beforeAll(() => {
    workspace = createEmptyWorkspace('{ "analytics": false, "cacheDirectory": ".nx/cache" }\n');
    writeFileSync(join(workspace.root, '.env'), 'OURS=1');
  });
  afterAll(() => workspace.remove());

  it('init adds the plugin to nx.json and a line to .env only once', () => {
    generate('init');
    expect(JSON.parse(read('nx.json')).plugins).toEqual(['@cdc-migrations/nx']);
    expect(read('.env')).toBe('OURS=1\nNX_ISOLATE_PLUGINS=false\n');
    const before = read('nx.json');
    generate('init');
    expect([read('nx.json'), read('.env')]).toEqual([before, 'OURS=1\nNX_ISOLATE_PLUGINS=false\n']);
  });

  it('keep the choice of --isolatePlugins in later runs', () => {
    const isolated = createEmptyWorkspace('{ "analytics": false }\n');
    const run = (...args: string[]) => isolated.nx('generate', ...args, '--no-interactive');
    try {
      run('@cdc-migrations/nx:init', '--isolatePlugins');
      run('@cdc-migrations/nx:init');
      run('@cdc-migrations/nx:implementation', 'apps/acme', '--pattern=db-per-tenant');
      expect(readFileSync(join(isolated.root, 'nx.json'), 'utf8')).toContain('@cdc-migrations/nx');
      expect(existsSync(join(isolated.root, 'apps/acme/source-groups.yaml'))).toBe(true);
      expect(existsSync(join(isolated.root, '.env'))).toBe(false);
    } finally {
      isolated.remove();
    }
  });

  it('implementation creates a repo that builds at once, and from the cache the second time', () => {
    const said = generate('implementation', 'apps/acme', '--pattern=db-per-tenant');
    expect(said).toContain('npx nx run acme:migrations');
    const { jobs } = load(read('.github/workflows/cdc-migrations.yml')) as { jobs: object };
    expect(Object.keys(jobs)).toEqual(['build', 'apply']);
    expect(read('apps/acme/services/acme.yaml')).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/\.\.\/\.\.\/node_modules\//,
    );
    workspace.nx('run', 'acme:migrations');
    expect(workspace.misses()).toHaveLength(6);
    expect(read('apps/acme/migrations/tables/Orders.sql')).toContain('"OrderId" integer NOT NULL');
    workspace.nx('run', 'acme:migrations');
    expect(workspace.misses()).toEqual([]);
    workspace.nx('run', 'acme:check-generated');
  });

  it('nx graph contains the description, group and dependencies of the targets', () => {
    workspace.nx('graph', '--file=graph.json');
    const { name, data } = JSON.parse(read('graph.json')).graph.nodes.acme;
    expect(name).toBe('acme');
    expect(data.metadata.targetGroups['CDC migrations: SQL'].at(-1)).toBe('check-generated');
    for (const { metadata } of Object.values<TargetConfiguration>(data.targets)) {
      expect(metadata).toMatchObject({
        description: expect.stringMatching(/.{20}/),
        help: {
          command: expect.stringMatching(
            /^npx --no-install cdc manage-(migrations|pipelines) \S+ --help$/,
          ),
        },
      });
    }
    workspace.nx('run', 'acme:apply', '--graph=tasks.json');
    const { dependencies } = JSON.parse(read('tasks.json')).tasks;
    const of = (...names: string[]) => names.map((target) => `acme:${target}`);
    expect(dependencies).toEqual({
      'acme:apply': of('migrations'),
      'acme:migrations': of('table-defs', 'schemas', 'infrastructure', 'tables', 'staging'),
      'acme:schemas': of('table-defs'),
      'acme:infrastructure': of('table-defs'),
      'acme:tables': of('table-defs'),
      'acme:staging': of('table-defs'),
      'acme:table-defs': [],
    });
  });

  it('implementation refuses an existing repo, an invalid name and a folder of another workspace', () => {
    expect(() => generate('implementation', 'apps/acme', '--pattern=db-shared')).toThrow(
      'apps/acme/source-groups.yaml: exists already; choose another folder, or move the existing file',
    );
    expect(() => generate('implementation', 'apps/2nd', '--pattern=db-shared')).toThrow(
      '--name "2nd": expected a letter followed by at most 39 letters',
    );
    mkdirSync(join(workspace.root, 'inner/.git'), { recursive: true });
    expect(() => generate('implementation', 'inner/repo', '--pattern=db-shared')).toThrow(
      /inner\/repo: is in the workspace .*\/inner; choose a folder of this one/,
    );
    expect(existsSync(join(workspace.root, 'inner/repo'))).toBe(false);
  });
});
