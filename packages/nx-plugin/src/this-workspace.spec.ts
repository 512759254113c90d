import { readAffected, readInputs, readTestsOf, ROOT } from './workspace.fixture.ts';

describe('the inputs of', () => {
  const ALWAYS = ['cli', 'generated-file', 'shape', 'sql-text', 'table-defs'];
  it.each([
    ['table-defs', [...ALWAYS, 'catalog', 'config']],
    ['schemas', [...ALWAYS, 'config', 'ddl-render']],
    ['infrastructure', [...ALWAYS, 'ddl-render']],
    ['tables', [...ALWAYS, 'ddl-render']],
    ['staging', [...ALWAYS, 'staging-render']],
    ['migrations', [...ALWAYS, 'config']],
  ])('%s are the sources of the packages that render it', (target, packages) => {
    expect(packagesOf('adopus', target)).toEqual(packages.sort());
    if (target === 'staging') expect(packagesOf('asma', target)).toEqual(packages);
  });

  it.each([
    ['adopus', ['table-defs', 'staging', 'migrations']],
    ['asma', ['table-defs', 'staging']],
  ])('%s contain no file of another implementation repo', (repo, targets) => {
    const repos = targets.flatMap((target) => {
      const { files, depOutputs } = inputsOf(repo, target);
      return [...files, ...depOutputs].flatMap(
        (file) => /^fixtures\/([^/]+)\//.exec(file)?.[1] ?? [],
      );
    });
    expect([...new Set(repos)]).toEqual([repo]);
  });
});

it.each([
  ['fixtures/asma/services/chat.yaml', ['asma']],
  ['fixtures/adopus/services/adopus.yaml', ['adopus']],
  ['packages/staging-render/templates/staging.sql.hbs', ['adopus', 'asma']],
])('a change of %s affects the migrations of %j', (file, repos) => {
  expect(readAffected(ROOT, file, 'migrations')).toEqual(repos);
});

/** Projects that read, clone or document the whole pipeline. */
const WHOLE = ['docs', 'e2e', 'soak'];

it.each([
  ['packages/introspect/src/index.ts', ['cli', 'introspect', 'nx', 'wire', ...WHOLE]],
  ['packages/staging-render/src/index.ts', ['cli', 'nx', 'staging-render', 'tracker', ...WHOLE]],
  ['packages/tracker/templates/new.sql.hbs', ['cli', 'nx', 'tracker', ...WHOLE]],
  ['packages/nx-plugin/src/options.cjs', ['nx', ...WHOLE]],
  ['packages/cli/src/program.spec.ts', ['cli', 'nx', ...WHOLE]],
  ['tools/wire/src/index.ts', ['wire', ...WHOLE]],
  ['tools/docs/src/main.ts', ['docs']],
  ['tools/publish/packages.mjs', ['docs']],
  ['fixtures/asma/services/chat.yaml', ['fixtures', 'nx', ...WHOLE]],
  ['.editorconfig', []],
])('a change of %s affects the tests of %j', (file, projects) => {
  const affected = readAffected(ROOT, file, 'test').map((name) => name.replace(/^.*\//, ''));
  expect(affected.toSorted()).toEqual(projects.toSorted());
});

it('the tests of fixtures include those of the packages that read fixtures', () => {
  const readers = ['cli', 'config', 'introspect'].map((name) => `@cdc-migrations/${name}`);
  expect(
    readTestsOf('fixtures')
      .filter((name) => readers.includes(name))
      .toSorted(),
  ).toEqual(readers);
  for (const name of readers) {
    const { files } = readInputs(ROOT, 'test', name);
    expect(files).toContain('fixtures/adopus/services/adopus.yaml');
  }
});

it.each(['packages/config', 'packages/cli', 'tools/e2e'])(
  'the targets of %s have its package.json as input, but no build output and no packages',
  (root) => {
    const name = `@cdc-migrations/${root.replace(/^.*\//, '')}`;
    for (const target of ['test', 'lint', 'typecheck']) {
      const { files } = readInputs(ROOT, target, name);
      expect(files).toContain(`${root}/package.json`);
      expect(files.filter((file) => /(^|\/)(dist|tmp|node_modules)\//.test(file))).toEqual([]);
    }
  },
);

function packagesOf(repo: string, target: string): readonly string[] {
  const found = inputsOf(repo, target).files.flatMap(
    (file) => /^packages\/([^/]+)\/(?:src|templates|bin)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(found)].sort();
}

const known = new Map<string, ReturnType<typeof readInputs>>();

/** Returns the inputs of a target. Nx runs once per target. */
function inputsOf(repo: string, target: string): ReturnType<typeof readInputs> {
  const name = `${repo}:${target}`;
  const inputs = known.get(name) ?? readInputs(ROOT, target, repo);
  known.set(name, inputs);
  return inputs;
}
