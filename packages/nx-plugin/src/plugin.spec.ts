import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CreateNodesResult } from '@nx/devkit';
import { createDependencies, createNodes } from '../plugin.cjs';
import type { PluginOptions } from './options.cjs';

const GROUPS = 'adopus:\n  pattern: db-per-tenant\nother: {}\n';
const CLI = { project: '@cdc-migrations/cli', externalDependencies: ['handlebars'] };

describe('createNodes', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cdc-nx-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  }

  /** Returns the project of the last file. */
  async function project(file = 'repo/source-groups.yaml', options?: PluginOptions) {
    const context = { workspaceRoot: root, nxJsonConfiguration: {} };
    const results = await createNodes[1]([file], options, context);
    const [[, result]] = results as [[string, CreateNodesResult]];
    return Object.entries(result.projects ?? {})[0]!;
  }

  async function target(name: string, options?: PluginOptions) {
    const [, { targets }] = await project(undefined, options);
    return targets![name]!;
  }

  it.each([
    ['the first source group', {}, 'adopus'],
    ['package.json', { 'repo/package.json': '{ "name": "@asma/adopus" }' }, '@asma/adopus'],
    ['nx in package.json', { 'repo/package.json': '{ "name": "a", "nx": { "name": "b" } }' }, 'b'],
    [
      'project.json before package.json',
      { 'repo/project.json': '{ "name": "c" }', 'repo/package.json': '{ "name": "a" }' },
      'c',
    ],
  ])('names the project by %s', async (_, files, name) => {
    write({ 'repo/source-groups.yaml': GROUPS, ...files });
    expect(await project()).toMatchObject(['repo', { name }]);
  });

  it('reads a project.json with comments, as Nx does', async () => {
    write({ 'repo/source-groups.yaml': GROUPS, 'repo/project.json': '{ // c\n "name": "c", }' });
    expect(await project()).toMatchObject(['repo', { name: 'c' }]);
  });

  it.each([
    ['repo/package.json', '{ "name": }', 'repo/package.json:1: invalid JSON: ValueExpected'],
    ['repo/package.json', '['.repeat(20_000), 'repo/package.json: invalid JSON: nested too deeply'],
    [
      'repo/package.json',
      '{ "nx": { "name": 7 } }',
      'repo/package.json nx.name: expected the name',
    ],
    [
      'repo/project.json',
      '{ "name": {} }',
      'repo/project.json name: expected the name of a project',
    ],
    ['repo/services/a.yaml', 'a: [', 'repo/services/a.yaml:2: '],
    [
      'repo/services/a.yaml',
      'a: {}\n<<<<<<< HEAD\nb: {}\n',
      'repo/services/a.yaml:2: expected no git conflict markers, found "<<<<<<<"; resolve it',
    ],
    ['repo/source-groups.yaml', 'hello', 'repo/source-groups.yaml: no source group'],
    ...['..', '.', '', 'a/b', 'a\\b'].map((sink): [string, string, string] => [
      'repo/services/a.yaml',
      `a: { sinks: { ok: {}, ${JSON.stringify(sink)}: {} } }\n`,
      `repo/services: expected a sink that can name a folder, found "${sink}"`,
    ]),
  ])('reports the problem in %s: %s', async (path, text, message) => {
    write({ 'repo/source-groups.yaml': GROUPS, [path]: text });
    const failed = project().catch(({ errors: [[, error]] }) => Promise.reject(error));
    await expect(failed).rejects.toThrow(message);
  });

  it('refuses a YAML file of more than 5 MB', async () => {
    const text = `a: [${'x,'.repeat(6_000_000)}]`;
    write({ 'repo/source-groups.yaml': GROUPS, 'repo/services/a.yaml': text });
    const failed = project().catch(({ errors: [[, error]] }) => Promise.reject(error));
    await expect(failed).rejects.toThrow('repo/services/a.yaml:1: expected at most 5 MB of YAML');
  });

  it('accepts 11,000 YAML merge keys', async () => {
    const uses = Array.from({ length: 11_000 }, (_, at) => `  t${at}: { <<: *x }`).join('\n');
    const service = `a: { sinks: { s.a: {}, s.b: {} } }\nx: &x { from: dbo.A }\ny:\n${uses}\n`;
    write({ 'repo/source-groups.yaml': GROUPS, 'repo/services/a.yaml': service });
    expect((await target('staging')).outputs).toHaveLength(2);
  });

  it.each(['null', '[]', '"x"', '{', '{ "constructor": 1 }', 'damaged'])(
    'parses everything again if its cache is %s',
    async (kept) => {
      write({
        'repo/source-groups.yaml': GROUPS,
        'repo/services/a.yaml': 'a: { sinks: { s.a: {} } }',
      });
      await project();
      const file = '.nx/workspace-data/cdc-migrations-outlines.json';
      const before = readFileSync(join(root, file), 'utf8');
      const damaged = before.replaceAll(/"(keys|sinks)":\[[^\]]*\]/g, '"$1":1');
      write({ [file]: kept === 'damaged' ? damaged : kept });
      expect(await project()).toMatchObject(['repo', { name: 'adopus' }]);
      expect(JSON.parse(readFileSync(join(root, file), 'utf8'))).toEqual(JSON.parse(before));
    },
  );

  it('creates a project for a workspace that is itself an implementation repo', async () => {
    write({ 'source-groups.yaml': GROUPS });
    const [path, { targets }] = await project('source-groups.yaml');
    expect(path).toBe('.');
    expect(targets?.['schemas']?.inputs).toContainEqual({
      dependentTasksOutputFiles: 'generated/migration-sets.yaml',
    });
  });

  it('ignores node_modules, dist, tmp and test cases', async () => {
    const files = ['node_modules/a', 'dist', 'tmp', 'packages/x/cases/one'];
    const paths = files.map((folder) => `${folder}/source-groups.yaml`);
    write(Object.fromEntries(paths.map((path) => [path, GROUPS])));
    const context = { workspaceRoot: root, nxJsonConfiguration: {} };
    expect(await createNodes[1](paths, undefined, context)).toEqual([]);
  });

  it('runs the command line in the repo', async () => {
    write({ 'repo/source-groups.yaml': GROUPS });
    expect(await target('staging')).toMatchObject({
      command: 'cdc manage-migrations generate --only staging --force',
      options: { cwd: 'repo' },
      cache: true,
      dependsOn: ['table-defs'],
    });
  });

  it.each([
    ['no service', {}, ['{projectRoot}/migrations/schemas']],
    [
      'one sink',
      { 'repo/services/a.yaml': 'a: { sinks: { sink_asma.directory: {} } }' },
      ['{projectRoot}/migrations/schemas'],
    ],
    [
      'two sinks in two services with different forms',
      {
        'repo/services/a.yaml': 'a: { sinks: { sink.b: {} } }',
        'repo/services/b.yaml': 'service: b\nsinks: { sink.a: {} }',
        'repo/services/_c.yaml': 'c: { sinks: { sink.c: {} } }',
      },
      ['{projectRoot}/migrations/sink.a/schemas', '{projectRoot}/migrations/sink.b/schemas'],
    ],
  ])('writes to the folders of the migration sets: %s', async (_, files, outputs) => {
    write({ 'repo/source-groups.yaml': GROUPS, ...files });
    expect((await target('schemas')).outputs).toEqual(outputs);
  });

  it('detects a new sink', async () => {
    write({
      'repo/source-groups.yaml': GROUPS,
      'repo/services/a.yaml': 'a: { sinks: { s.a: {} } }',
    });
    expect((await target('staging')).outputs).toHaveLength(1);
    write({ 'repo/services/a.yaml': 'a: { sinks: { s.a: {}, s.b: {} } }' });
    expect((await target('staging')).outputs).toHaveLength(2);
  });

  it('renames targets and the dependencies on them', async () => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const options = { tableDefsTargetName: 'defs', migrationsTargetName: 'sql' };
    const [, { targets, metadata }] = await project(undefined, options);
    const names = ['defs', 'schemas', 'infrastructure', 'tables', 'staging', 'sql'];
    const all = [
      ...['introspect', ...names, 'pipelines', 'types', 'check-generated', 'diff'],
      ...['apply', 'status', 'check', 'baseline', 'merge', 'enable-cdc'],
    ];
    expect(Object.keys(targets!)).toEqual(all);
    expect(targets!['sql']!.dependsOn).toEqual(names.slice(0, -1));
    expect(metadata?.targetGroups).toEqual({
      'CDC migrations: SQL': [...names, 'types', 'check-generated'],
      'CDC migrations: pipelines': ['pipelines'],
      'CDC migrations: databases': [
        ...['introspect', 'diff', 'apply', 'status', 'check', 'baseline', 'merge', 'enable-cdc'],
      ],
    });
  });

  it('describes each target and its help command', async () => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const [, { targets, metadata }] = await project();
    const grouped = Object.values(metadata!.targetGroups!).flat();
    expect([...grouped].sort()).toEqual(Object.keys(targets!).sort());
    for (const { metadata: ofTarget, command } of Object.values(targets!)) {
      expect(ofTarget!.description!.length).toBeGreaterThan(20);
      expect(ofTarget!.technologies).toEqual(['cdc', 'postgresql']);
      const [, name] = /^(cdc manage-(?:migrations|pipelines) [a-z-]+)/.exec(command!)!;
      expect(ofTarget!.help!.command).toBe(`npx --no-install ${name} --help`);
    }
    expect(targets!['apply']!.metadata!.help!.example).toEqual({
      options: { args: '--env=prod' },
    });
  });

  it.each([
    [undefined, 'embedded'],
    ['local', 'local'],
  ])('runs commands in the environment of defaultEnv %j', async (defaultEnv, env) => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const [, { targets }] = await project(undefined, defaultEnv ? { defaultEnv } : {});
    for (const name of ['apply', 'status', 'check', 'baseline', 'merge']) {
      expect(targets![name]!.command).toBe(`cdc manage-migrations ${name} --env ${env}`);
    }
  });

  it('creates no targets for the stages in leaveOut', async () => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const leaveOut = [
      ...['introspect', 'diff', 'apply', 'status', 'check', 'baseline', 'merge', 'enable-cdc'],
    ];
    const [, { targets, metadata }] = await project(undefined, { leaveOut });
    expect(Object.keys(targets!)).toEqual([
      ...['table-defs', 'schemas', 'infrastructure', 'tables', 'staging', 'migrations'],
      ...['pipelines', 'types', 'check-generated'],
    ]);
    expect(Object.keys(metadata!.targetGroups!)).toEqual([
      'CDC migrations: SQL',
      'CDC migrations: pipelines',
    ]);
  });

  it.each([
    [{ tabelDefsTargetName: 'defs' }, 'unknown option "tabelDefsTargetName"; known: defaultEnv, '],
    [{ schemasTargetName: 'tables' }, 'two targets would be called "tables"; rename one of them'],
    [{ schemasTargetName: 'a b' }, 'schemasTargetName: expected a name without blanks and colons'],
    [{ leaveOut: ['tables'] }, 'leaveOut: "migrations" needs "tables"; exclude both, or none'],
    [{ leaveOut: ['table'] }, 'leaveOut: no stage "table"; known: introspect, '],
    [{ leaveOut: 'apply' }, 'leaveOut: expected a list of introspect, '],
    [{ defaultEnv: 'a; b' }, 'defaultEnv: expected the name of an environment of the sinks'],
    [{ cli: true }, 'cli: expected { project: '],
    [[], 'expected a mapping'],
  ])('refuses the options %j', async (options, message) => {
    write({ 'repo/source-groups.yaml': GROUPS });
    await expect(project(undefined, options as PluginOptions)).rejects.toThrow(
      `nx.json, options of @cdc-migrations/nx: ${message}`,
    );
  });

  it('does not cache introspect, and lets no target depend on it', async () => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const [, { targets }] = await project();
    expect(targets!['introspect']).toMatchObject({
      command: 'cdc manage-migrations schema-docs',
      cache: false,
      dependsOn: [],
    });
    for (const { dependsOn } of Object.values(targets!)) {
      expect(dependsOn).not.toContain('introspect');
    }
  });

  it('depends on the project of the command line, and on the packages that a target uses', async () => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const { dependsOn, inputs } = await target('infrastructure', { cli: CLI });
    expect(dependsOn).toEqual(['table-defs', { projects: [CLI.project], target: 'build' }]);
    expect(inputs).toContainEqual({ externalDependencies: ['handlebars'] });
    expect(inputs).toContainEqual({
      input: 'production',
      projects: expect.not.arrayContaining(['@cdc-migrations/staging-render']),
    });
    const [, { implicitDependencies }] = await project(undefined, { cli: CLI });
    expect(implicitDependencies).toEqual([CLI.project]);
  });

  it.each([
    ['neither installed nor in a lockfile', {}, []],
    [
      'in the lockfile only, as a peer',
      { 'package-lock.json': '{ "peerDependencies": { "@cdc-migrations/cli": "1" } }' },
      [],
    ],
    [
      'installed',
      {
        'package-lock.json': '{ "packages": { "node_modules/@cdc-migrations/cli": {} } }',
        'node_modules/@cdc-migrations/cli/package.json': '{}',
      },
      ['@cdc-migrations/cli'],
    ],
  ])(
    'depends on the npm package of the command line only if it is installed: %s',
    async (_, files, externalDependencies) => {
      write({ 'repo/source-groups.yaml': GROUPS, ...files });
      expect((await target('tables')).inputs).toContainEqual({ externalDependencies });
    },
  );

  it.each([
    ['one for each repo if Nx knows it', { 'npm:@cdc-migrations/cli': {} }, ['adopus']],
    ['none if Nx does not know it', {}, []],
  ])('creates dependencies on the npm package: %s', async (_, externalNodes, sources) => {
    write({ 'repo/source-groups.yaml': GROUPS });
    const [, adopus] = await project();
    const projects = { adopus, other: { root: 'other', targets: {} } };
    type Context = Parameters<typeof createDependencies>[1];
    const found = await createDependencies({}, { projects, externalNodes } as unknown as Context);
    expect(found).toEqual(
      sources.map((source) => ({ source, target: 'npm:@cdc-migrations/cli', type: 'implicit' })),
    );
  });

  it.each([
    ['(x)', false],
    ['a[b', false],
    ['a]b', false],
    ['a{b', false],
    ['a}b', false],
    ['a*b', false],
    ['a?b', false],
    ['!ab', false],
    ['a\\b', false],
    ['below/{x}/repo', false],
    [`a b'"$^,#~|;&%+@-=\`ø`, true],
  ])(
    'caches targets only in a folder that Nx does not treat as a glob: %s',
    async (folder, isCached) => {
      write({ [`${folder}/source-groups.yaml`]: GROUPS });
      const [, { targets, metadata }] = await project(`${folder}/source-groups.yaml`);
      const globs = Object.values(targets!).flatMap(({ inputs = [], outputs = [] }) =>
        [...inputs, ...outputs].filter(
          (each) => !/^{"(env|externalDependencies)/.test(JSON.stringify(each)),
        ),
      );
      expect([targets!['staging']!.cache, globs.length > 0]).toEqual([isCached, isCached]);
      expect(targets!['apply']!.inputs === undefined).toBe(isCached);
      expect(/not cached/.test(metadata!.description!)).toBe(!isCached);
    },
  );

  it('does not cache targets of a sink whose folder Nx treats as a glob', async () => {
    const sinks = (name: string) => `a: { sinks: { ${name}: {}, other.one: {} } }\n`;
    write({ 'repo/source-groups.yaml': GROUPS, 'repo/services/a.yaml': sinks('"sink.x(y)"') });
    expect((await target('staging')).cache).toBe(false);
    write({ 'repo/services/a.yaml': sinks('sink.x') });
    expect((await target('staging')).cache).toBe(true);
  });

  it.each([
    ['', 'source-groups.yaml: no source group; the first one names the project'],
    ['a:\n  b: [\n', 'source-groups.yaml:3: unexpected end of the stream within a flow collection'],
    ['a: {}\na: {}\n', 'source-groups.yaml:2: duplicated mapping key'],
  ])('reports a broken YAML file, and returns the other projects (%j)', (text, message) => {
    write({ 'repo/source-groups.yaml': GROUPS, 'broken/source-groups.yaml': text });
    const files = ['broken/source-groups.yaml', 'repo/source-groups.yaml'];
    const context = { workspaceRoot: root, nxJsonConfiguration: {} };
    expect(() => createNodes[1](files, undefined, context)).toThrow(
      expect.objectContaining({
        name: 'AggregateCreateNodesError',
        errors: [[files[0], expect.objectContaining({ message: `broken/${message}` })]],
        partialResults: [[files[1], expect.anything()]],
      }),
    );
  });

  it('reports a service file that cannot be parsed', () => {
    write({ 'repo/source-groups.yaml': GROUPS, 'repo/services/a.yaml': 'a: }\n' });
    const context = { workspaceRoot: root, nxJsonConfiguration: {} };
    expect(() => createNodes[1](['repo/source-groups.yaml'], undefined, context)).toThrow(
      expect.objectContaining({
        errors: [
          [
            expect.anything(),
            expect.objectContaining({
              message: expect.stringMatching(/^repo\/services\/a.yaml:1: /),
            }),
          ],
        ],
      }),
    );
  });
});
