import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createWorkspace, type Workspace } from './workspace.fixture.ts';

const ALL = [
  ...['infrastructure', 'migrations', 'pipelines', 'schemas', 'staging', 'table-defs', 'tables'],
];

/** A row of the table in the README: the targets that Nx runs again after a change. */
interface Row {
  readonly input: string;
  readonly change: string;
  readonly edits?: readonly Edit[];
  readonly env?: Readonly<Record<string, string>>;
  readonly runs: readonly string[];
}

/** A text that replaces another or is appended to a file. Without `put` the file is deleted. */
interface Edit {
  readonly file: string;
  readonly find?: string;
  readonly put?: string;
}

const ROWS = JSON.parse(readFileSync(join(__dirname, 'caching-matrix.json'), 'utf8')) as Row[];

function applyEdit(repo: string, { file, find, put }: Edit): void {
  const path = join(repo, file);
  mkdirSync(dirname(path), { recursive: true });
  if (put === undefined) return rmSync(path);
  if (find === undefined) {
    appendFileSync(path, put);
  } else {
    const before = readFileSync(path, 'utf8');
    if (!before.includes(find)) throw new Error(`${file} does not hold ${find}`);
    writeFileSync(path, before.replace(find, put));
  }
  // Nx compares modification times in seconds and misses a second edit within the same second.
  const written = (edits += 1) + Date.now() / 1000;
  utimesSync(path, written, written);
}

let edits = 0;

/** Targets that Nx runs again after a change of an implementation repo. Before the change all are cached. */
describe('caching of adopus:migrations', () => {
  let workspace: Workspace;
  let repo: string;

  beforeAll(() => {
    workspace = createWorkspace();
    repo = workspace.repo;
    expect(workspace.run()).toEqual(ALL);
    expect(workspace.run()).toEqual([]);
  });
  afterAll(() => workspace.remove());

  it('restores all outputs that are deleted or edited', () => {
    const before = workspace.outputs();
    expect(before.size).toBe(20);
    for (const path of before.keys()) if (path !== SNAPSHOT) rmSync(join(repo, path));
    expect(workspace.run()).toEqual([]);
    expect(workspace.outputs()).toEqual(before);
    for (const path of before.keys()) if (path !== SNAPSHOT) appendFileSync(join(repo, path), '-');
    expect(workspace.run()).toEqual([]);
    expect(workspace.outputs()).toEqual(before);
  });

  it('removes foreign files from output folders, and does not cache them', () => {
    const before = workspace.outputs();
    const foreign = [...workspace.declaredOutputs().values()]
      .flat()
      .filter((path) => !path.endsWith('.yaml'))
      .map((folder) => `${folder}/Foreign.sql`);
    expect(foreign).toHaveLength(7);
    const put = () => foreign.forEach((file) => applyEdit(repo, { file, put: 'SELECT 1;\n' }));
    put();
    expect(workspace.run()).toEqual([]);
    expect(workspace.outputs()).toEqual(before);
    put();
    expect(workspace.run({ CDC_DB_USER: 'other' })).toContain('staging');
    expect([...workspace.outputs().keys()]).toEqual([...before.keys()]);
    workspace.run();
    expect(workspace.outputs()).toEqual(before);
  });

  it.each(ROWS)('$input, $change: runs $runs', ({ edits = [], env, runs }) => {
    for (const edit of edits) applyEdit(repo, edit);
    expect(workspace.run(env)).toEqual([...runs].sort());
  });

  it('keeps only the new layout and hand-written files after a change of the layout', () => {
    const tops = new Set([...workspace.outputs().keys()].map((path) => path.split('/')[1]));
    expect([...tops].filter((name) => !name!.includes('.'))).toEqual([
      'schemas',
      'table-definitions',
      'manual',
      'sources',
    ]);
    expect(existsSync(join(repo, 'migrations/by-people.sql'))).toBe(true);
    workspace.run();
    expect(workspace.run()).toEqual([]);
  });
});

/** The outputs are the same in every folder. Only the use of the cache differs. */
describe.each([
  ['(prod)[ab]{c,d}', false],
  ['a b/it\'s "one", +1@x', true],
])('a repo in the folder %s', (folder, isCached) => {
  let workspace: Workspace;
  beforeAll(() => {
    workspace = createWorkspace(folder);
    expect(workspace.run()).toEqual(ALL);
  });
  afterAll(() => workspace.remove());

  it('is generated again after a change, and its deleted outputs are restored', () => {
    const { repo } = workspace;
    const file = 'migrations/tables/Actor.sql';
    expect(workspace.outputs().get(file)).not.toContain('"Døv"');
    expect(workspace.run()).toEqual(isCached ? [] : ALL);
    applyEdit(repo, {
      file: 'services/adopus.yaml',
      find: 'ignore_columns: [Døv]',
      put: 'ignore_columns: []',
    });
    expect(workspace.run()).toContain('table-defs');
    expect(workspace.outputs().get(file)).toContain('"Døv"');
    const before = workspace.outputs();
    for (const path of before.keys()) if (path !== SNAPSHOT) rmSync(join(repo, path));
    expect(workspace.run()).toEqual(isCached ? [] : ALL);
    expect(workspace.outputs()).toEqual(before);
  });
});

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
