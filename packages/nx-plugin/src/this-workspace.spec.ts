import { readInputs, ROOT } from './workspace.fixture.ts';

/** The packages of this workspace that a target of fixtures/adopus is rendered with. */
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
    const found = readInputs(ROOT, target).files.flatMap(
      (file) => /^packages\/([^/]+)\/(?:src|templates|bin)\//.exec(file)?.[1] ?? [],
    );
    expect([...new Set(found)].sort()).toEqual(packages.sort());
  });
});
