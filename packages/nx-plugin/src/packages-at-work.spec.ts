import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '../../cli/src/generate/generate.ts';
import { generatePipelines } from '../../cli/src/pipelines/generate-pipelines.ts';
import { STAGES } from './stages.cjs';
import { ROOT } from './workspace.fixture.ts';

const CACHED = STAGES.filter(({ cache }) => cache);

/** Packages whose functions a stage calls. A change of any other package cannot change its output. */
describe('the packages whose sources are inputs of a stage', () => {
  const session = new Session();
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'cdc-nx-'));
    cpSync(join(ROOT, 'packages/cli/cases/_base'), root, { recursive: true });
    mkdirSync(join(root, 'migrations/manual'), { recursive: true });
    writeFileSync(join(root, 'migrations/manual/0001-first.sql'), 'SELECT 1;\n');
    jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    // Loading a module calls functions too, so all modules are loaded before the count begins.
    for (const { name } of CACHED) run(name);
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  });
  afterAll(() => {
    session.disconnect();
    jest.restoreAllMocks();
    rmSync(root, { recursive: true });
  });

  function run(stage: string): void {
    const exitCode =
      stage === 'pipelines'
        ? generatePipelines({ root, force: true })
        : generate({ root, only: stage as 'table-defs', force: true });
    expect(exitCode).toBe(0);
  }

  /** Returns the packages whose functions were called since the last call. */
  function takePackages(): readonly string[] {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    session.post('Profiler.takePreciseCoverage', (_error, { result }) => (scripts = result));
    // Compiled modules export through getters. A call of a getter does not count.
    const called = scripts.filter(({ functions }) =>
      functions.some(
        ({ functionName, ranges }) => !functionName.startsWith('get ') && ranges[0]!.count > 0,
      ),
    );
    const packages = called.flatMap(({ url }) => /\/packages\/([^/]+)\/src\//.exec(url)?.[1] ?? []);
    return [...new Set(packages)].filter((name) => name !== 'nx-plugin').sort();
  }

  it.each(CACHED.map(({ name, packages }) => [name, packages] as const))(
    'are exactly those whose functions %s calls: %j',
    (stage, packages) => {
      takePackages();
      run(stage);
      expect(takePackages()).toEqual([...packages].sort());
    },
  );
});
