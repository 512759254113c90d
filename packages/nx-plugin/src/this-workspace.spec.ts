import { readAffected, readInputs, ROOT } from './workspace.fixture.ts';

/** The packages of this workspace that a target of an implementation repo is rendered with. */
describe('inputs of the targets in this workspace', () => {
  const ALWAYS = ['cli', 'generated-file', 'sql-text', 'table-defs'];
  it.each([
    ['table-defs', [...ALWAYS, 'catalog', 'config']],
    ['schemas', [...ALWAYS, 'config', 'ddl-render']],
    ['infrastructure', [...ALWAYS, 'ddl-render']],
    ['tables', [...ALWAYS, 'ddl-render']],
    ['staging', [...ALWAYS, 'staging-render']],
    ['migrations', ['config', 'cli', 'generated-file', 'table-defs']],
  ])('%s depends on the sources of the packages that do its work', (target, packages) => {
    expect(packagesOf('adopus', target)).toEqual(packages.sort());
    expect(packagesOf('asma', target)).toEqual(packages.sort());
  });

  it.each(['adopus', 'asma'])('none of %s reads another implementation repo', (repo) => {
    for (const target of ['table-defs', 'schemas', 'tables', 'staging', 'migrations']) {
      const { files, depOutputs } = readInputs(ROOT, target, repo);
      const repos = [...files, ...depOutputs].flatMap(
        (file) => /^fixtures\/([^/]+)\//.exec(file)?.[1] ?? [],
      );
      expect([...new Set(repos)]).toEqual([repo]);
    }
  });
});

it.each([
  ['fixtures/asma/services/chat.yaml', ['asma']],
  ['fixtures/adopus/services/adopus.yaml', ['adopus']],
  ['packages/staging-render/templates/staging.sql.hbs', ['adopus', 'asma']],
  ['README.md', []],
])('a change of %s affects the migrations of %j', (file, repos) => {
  expect(readAffected(ROOT, file)).toEqual(repos);
});

function packagesOf(repo: string, target: string): readonly string[] {
  const found = readInputs(ROOT, target, repo).files.flatMap(
    (file) => /^packages\/([^/]+)\/(?:src|templates|bin)\//.exec(file)?.[1] ?? [],
  );
  return [...new Set(found)].sort();
}
