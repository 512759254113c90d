import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createWorkspace, type Workspace } from './workspace.fixture.ts';

const TRACER = pathToFileURL(join(__dirname, 'trace-reads.fixture.mjs')).href;

/** Optional files that a stage reads, and files that no stage reads, in addition to those of adopus. */
const ADDED = {
  'services/_schemas/_definitions/source-adopus-type-overrides.yaml': 'types: { bit: smallint }\n',
  'services/_schemas/_definitions/map-mssql-pgsql.yaml': 'not: ours\n',
  'services/_notes.yaml': 'not: ours\n',
  'services/deeper/adopus.yaml': 'not: ours\n',
  'generated/schemas/.AdOpusTest.dbo.yaml': 'not: ours\n',
  'generated/notes.md': 'not ours\n',
  'migrations/manual/0001-roles.sql': 'SELECT 1;\n',
  'migrations/after/0001-rows.sql': 'SELECT 1;\n',
  'migrations/repeatable/0001-views.sql': 'SELECT 1;\n',
  'migrations/by-people.sql': 'SELECT 2;\n',
  'migrations/notes.md': 'not ours\n',
  'migrations/manual/notes.yaml': 'not: ours\n',
  'migrations/.notes.md': 'not ours\n',
  'README.md': 'not ours\n',
};

/** Variables that control the colors of the terminal, and variables of Node.js. */
const OF_THE_TERMINAL =
  /^(NO_COLOR|FORCE_COLOR|CLICOLOR_FORCE|NODE_DISABLE_COLORS|TERM|COLORTERM)$/;
const OF_NODE = /^(NODE_\w+|WATCH_\w+)$/;
/** Nx sets this variable in every run, so cached output is valid for every run. */
const OF_NX = /^NX_TASK_TARGET_PROJECT$/;
/** Variables that locate the cache folder of the user. A cached run writes the same files as an uncached one. */
const OF_THE_CACHE_FOLDER = /^(XDG_CACHE_HOME|LOCALAPPDATA)$/;

interface Trace {
  readonly read: readonly string[];
  /** Files that were read or checked for existence. */
  readonly found: readonly string[];
  readonly listed: readonly string[];
  /** Paths that were requested but do not exist. */
  readonly missing: readonly string[];
  readonly variables: readonly string[];
}

/** Files that the process of each stage touches, compared with those that its target declares. */
describe('a stage of adopus:migrations', () => {
  let workspace: Workspace;
  let traces: string;
  let outputs: ReadonlyMap<string, readonly string[]>;

  beforeAll(() => {
    workspace = createWorkspace();
    for (const [path, text] of Object.entries(ADDED)) {
      mkdirSync(dirname(join(workspace.repo, path)), { recursive: true });
      writeFileSync(join(workspace.repo, path), text);
    }
    traces = mkdtempSync(join(tmpdir(), 'cdc-trace-'));
    const tracing = { CDC_TRACE: traces, NODE_OPTIONS: `--import=${TRACER}` };
    expect(workspace.run(tracing)).toHaveLength(7);
    outputs = workspace.declaredOutputs();
  });
  afterAll(() => {
    workspace.remove();
    rmSync(traces, { recursive: true });
  });

  function traceOf(stage: string): Trace {
    const own = outputs.get(stage)!;
    // Files are first written under a temporary name in the same folder.
    const isOwn = (path: string) =>
      own.some((out) => `${path.replace(/\.\d+\.part$/, '')}/`.startsWith(`${out}/`));
    const lines = readFileSync(join(traces, stage), 'utf8').trimEnd().split('\n');
    const found = [...new Set(lines)].map((line) => line.split('\t') as [string, string]);
    const paths = found
      .filter(([what, path]) => what !== 'write' && path.startsWith(workspace.repo + sep))
      .map(([what, path]) => ({ what, path: relative(workspace.repo, path), absolute: path }))
      .filter(({ path }) => !isOwn(path));
    const existing = paths.filter(({ absolute }) => existsSync(absolute));
    const files = existing.filter(({ absolute }) => statSync(absolute).isFile());
    const unique = (some: readonly { path: string }[]) =>
      [...new Set(some.map(({ path }) => path))].sort();
    return {
      read: unique(files.filter(({ what }) => what === 'read')),
      found: unique(files),
      listed: unique(existing.filter(({ what }) => what === 'list')),
      missing: unique(paths.filter(({ absolute }) => !existsSync(absolute))),
      variables: found.filter(([what]) => what === 'variable').map(([, name]) => name),
    };
  }

  const SERVICES = ['services', 'services/_schemas/_definitions'];
  const DEFINITIONS = 'generated/table-definitions';
  const OF_STAGES = [
    'after',
    'infrastructure',
    'manual',
    'repeatable',
    'schemas',
    'staging',
    'tables',
    'validation',
  ].map((name) => `migrations/${name}`);
  it.each([
    ['table-defs', ['generated/schemas', ...SERVICES]],
    ['schemas', []],
    ['infrastructure', []],
    ['tables', [DEFINITIONS]],
    ['staging', [DEFINITIONS]],
    ['migrations', [DEFINITIONS, 'migrations', ...OF_STAGES, ...SERVICES]],
    ['pipelines', ['generated/schemas', ...SERVICES]],
  ])(
    '%s reads the files that its target declares, and lists only these folders',
    (stage, listed) => {
      const { files, depOutputs, env } = workspace.inputs(stage);
      const declared = [...files, ...depOutputs].map((path) => path.replace(/^adopus\//, ''));
      const trace = traceOf(stage);
      expect(trace.read).toEqual(declared.sort());
      // The existence of source-groups.yaml makes a folder a repo and a project.
      expect(trace.found).toEqual([...new Set([...declared, 'source-groups.yaml'])].sort());
      expect({ listed: trace.listed, missing: trace.missing }).toEqual({ listed, missing: [] });
      const variables = trace.variables.filter(
        (name) =>
          ![OF_THE_TERMINAL, OF_NODE, OF_NX, OF_THE_CACHE_FOLDER].some((pattern) =>
            pattern.test(name),
          ),
      );
      expect([...new Set(variables)].sort()).toEqual(env);
    },
  );
});
