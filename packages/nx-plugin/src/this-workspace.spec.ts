import { readAffected, readInputs, ROOT } from './workspace.fixture.ts';

/** The packages of this workspace that a target of an implementation repo is rendered with. */
describe('inputs of the targets in this workspace', () => {
  const ALWAYS = ['cli', 'generated-file', 'shape', 'sql-text', 'table-defs'];
  it.each([
    ['table-defs', [...ALWAYS, 'catalog', 'config']],
    ['schemas', [...ALWAYS, 'config', 'ddl-render']],
    ['infrastructure', [...ALWAYS, 'ddl-render']],
    ['tables', [...ALWAYS, 'ddl-render']],
    ['staging', [...ALWAYS, 'staging-render']],
    ['migrations', [...ALWAYS, 'config']],
  ])('%s depends on the sources of the packages that do its work', (target, packages) => {
    expect(packagesOf('adopus', target)).toEqual(packages.sort());
    if (target === 'staging') expect(packagesOf('asma', target)).toEqual(packages);
  });

  it.each([
    ['adopus', ['table-defs', 'staging', 'migrations']],
    ['asma', ['table-defs', 'staging']],
  ])('none of %s reads another implementation repo', (repo, targets) => {
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
  expect(readAffected(ROOT, file)).toEqual(repos);
});

function packagesOf(repo: string, target: string): readonly string[] {
  const found = inputsOf(repo, target).files.flatMap(
    (file) => /^packages\/([^/]+)\/(?:src|templates|bin)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(found)].sort();
}

const known = new Map<string, ReturnType<typeof readInputs>>();

/** Nx is asked once for each target. */
function inputsOf(repo: string, target: string): ReturnType<typeof readInputs> {
  const name = `${repo}:${target}`;
  const inputs = known.get(name) ?? readInputs(ROOT, target, repo);
  known.set(name, inputs);
  return inputs;
}
