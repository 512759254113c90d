import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { createWorkspace, type Workspace } from './workspace.fixture.ts';

const ALL = ['infrastructure', 'migrations', 'schemas', 'staging', 'table-defs', 'tables'];

/** What Nx runs again after a change of an implementation repo, from a state where nothing would run. */
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

  function edit(path: string, change: (text: string) => string): void {
    const before = readFileSync(join(repo, path), 'utf8');
    const after = change(before);
    if (after === before) throw new Error(`${path} has not changed`);
    writeFileSync(join(repo, path), after);
  }

  function addFile(path: string): void {
    mkdirSync(dirname(join(repo, path)), { recursive: true });
    writeFileSync(join(repo, path), 'SELECT 1;\n');
  }

  it('restores every deleted output byte for byte', () => {
    const before = workspace.outputs();
    expect(before.size).toBeGreaterThan(100);
    for (const folder of [
      'generated/table-definitions',
      'generated/migration-sets.yaml',
      'migrations',
    ]) {
      rmSync(join(repo, folder), { recursive: true });
    }
    expect(workspace.run()).toEqual([]);
    expect(workspace.outputs()).toEqual(before);
  });

  it('replaces a file edited by hand and removes what does not belong', () => {
    const before = workspace.outputs();
    edit('migrations/staging/Actor-staging.sql', (text) => `${text}-- by hand\n`);
    addFile('migrations/tables/Foreign.sql');
    expect(workspace.run()).toEqual([]);
    expect(workspace.outputs()).toEqual(before);
  });

  it('renders schemas and the manifest for a new customer, no tables', () => {
    edit('source-groups.yaml', (text) =>
      text.replace(
        '  sources:\n',
        '  sources:\n    newcomer:\n      schemas: [dbo]\n      prod: { server: prod, database: AdOpusNewcomer }\n',
      ),
    );
    expect(workspace.run()).toEqual(['migrations', 'schemas']);
  });

  it('renders tables and staging for a column that the source got, no schemas', () => {
    edit('generated/schemas/AdOpusTest.dbo.yaml', (text) =>
      text.replace(
        '  Fraver:\n    columns:\n',
        '$&      - {"name": "Added", "type": "int", "nullable": true}\n',
      ),
    );
    expect(workspace.run()).toEqual(['migrations', 'staging', 'table-defs', 'tables']);
  });

  it('renders tables and staging for a change of ignore_columns, no schemas', () => {
    edit('services/adopus.yaml', (text) =>
      text.replace('ignore_columns: [Døv, Fødeland]', 'ignore_columns: [Døv]'),
    );
    expect(workspace.run()).toEqual(['migrations', 'staging', 'table-defs', 'tables']);
  });

  it('caches no file that was put into a folder before a stage ran', () => {
    addFile('migrations/tables/Foreign.sql');
    edit('services/adopus.yaml', (text) =>
      text.replace('ignore_columns: [Døv]', 'ignore_columns: []'),
    );
    expect(workspace.run()).toContain('tables');
    expect([...workspace.outputs().keys()]).not.toContain('migrations/tables/Foreign.sql');
  });

  it('renders what names the role for another CDC_DB_USER', () => {
    expect(workspace.run({ CDC_DB_USER: 'cdc_writer' })).toEqual([
      'infrastructure',
      'migrations',
      'schemas',
      'staging',
    ]);
  });

  it('renders the manifest alone for a migration written by people, and leaves that file alone', () => {
    workspace.run();
    addFile('migrations/manual/0001-roles.sql');
    expect(workspace.run()).toEqual(['migrations']);
    expect(existsSync(join(repo, 'migrations/manual/0001-roles.sql'))).toBe(true);
  });

  it('stops at definitions that come out the same; only the check of the whole configuration runs', () => {
    appendFileSync(join(repo, 'services/adopus.yaml'), '# a comment\n');
    expect(workspace.run()).toEqual(['migrations', 'table-defs']);
  });

  const SETS = 'adopus/generated';
  const DEFINITIONS = 'adopus/generated/table-definitions';
  it.each([
    [
      'table-defs',
      [
        'generated/schemas/AdOpusTest.dbo.yaml',
        'services/_schemas/column-templates.yaml',
        'services/adopus.yaml',
        'sink-groups.yaml',
      ],
      [],
      [],
    ],
    ['schemas', ['source-groups.yaml'], [SETS], ['CDC_DB_USER']],
    ['infrastructure', [], [SETS], ['CDC_DB_USER']],
    ['tables', [], [SETS, DEFINITIONS], []],
    ['staging', [], [SETS, DEFINITIONS], ['CDC_DB_USER']],
    [
      'migrations',
      [
        'migrations/manual/0001-roles.sql',
        'services/_schemas/column-templates.yaml',
        'services/adopus.yaml',
        'sink-groups.yaml',
        'source-groups.yaml',
      ],
      [
        SETS,
        DEFINITIONS,
        'adopus/migrations/infrastructure',
        'adopus/migrations/schemas',
        'adopus/migrations/staging',
        'adopus/migrations/tables',
        'adopus/migrations/validation',
      ],
      ['CDC_DB_USER'],
    ],
  ])('%s reads exactly these files', (target, files, folders, env) => {
    expect(workspace.inputs(target)).toEqual({
      files: files.map((file) => `adopus/${file}`),
      folders,
      env,
    });
  });
});
