import { cdc, generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, edit, read, smallRepo, treeOf, write } from '../repo.fixture.ts';

const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';
const SERVICE = 'services/adopus.yaml';
const MANUAL = 'migrations/manual';
const NOTHING =
  'no unsafe change, so no manual file is needed; after generate, compare with --base <commit>\n';

let done: string;
let root: string;
beforeAll(() => {
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});
beforeEach(() => {
  root = copyOf(done);
});

const scaffold = (...args: readonly string[]) =>
  cdc(['manage-migrations', 'diff', '--scaffold-manual', ...args], { cwd: root });

describe('--scaffold-manual', () => {
  it('drafts a numbered file for each table with an unsafe change, and does not overwrite it', () => {
    write(root, `${MANUAL}/0007-mine.sql`, 'SELECT 1;\n');
    edit(root, SNAPSHOT, 'length: 100', 'length: 50');
    edit(root, SNAPSHOT, 'type: date', 'type: int');
    const before = treeOf(root);
    const first = scaffold();
    expect(first).toMatchObject({ code: 1 });
    expect(first.stderr).toBe(
      `${MANUAL}/0008-Actor-Navn.sql: created; review and edit it, then generate\n` +
        `${MANUAL}/0009-Fraver-FraDato.sql: created; review and edit it, then generate\n`,
    );
    expect(changesSince(before, root)).toEqual([
      `+ ${MANUAL}/0008-Actor-Navn.sql`,
      `+ ${MANUAL}/0009-Fraver-FraDato.sql`,
    ]);
    expect(read(root, `${MANUAL}/0008-Actor-Navn.sql`)).toContain(
      `-- Change: sink_asma.directory adopus.Actor: column "Navn": character varying(100) to character varying(50)\n`,
    );
    edit(root, `${MANUAL}/0008-Actor-Navn.sql`, 'DO $manual$', '-- Seen.\nDO $manual$');
    const written = treeOf(root);
    expect(scaffold('--json')).toMatchObject({
      stdout: expect.stringContaining('"state": "there already"'),
    });
    expect(changesSince(written, root)).toEqual([]);
  });

  it('writes the configured expression to the file, and the schema only as {{SCHEMA}}', () => {
    edit(root, SNAPSHOT, 'length: 100', 'length: 50');
    edit(
      root,
      SERVICE,
      '          from: dbo.Actor\n',
      `          from: dbo.Actor\n          manual_migration_hints: { type_changes: [{ column: Navn, using: 'left("Navn", 50)' }] }\n`,
    );
    expect(scaffold().code).toBe(1);
    const text = read(root, `${MANUAL}/0001-Actor-Navn.sql`);
    expect(text).toContain('USING (left("Navn", 50))::character varying(50);\n');
    expect(text.match(/"\w+"\."(stg_)?Actor"/g)).toBe(null);
    expect(text).toContain('"{{SCHEMA}}"."Actor"');
  });

  it('writes no file if no change is unsafe', () => {
    edit(root, SNAPSHOT, 'length: 100', 'length: 200');
    const before = treeOf(root);
    expect(scaffold()).toMatchObject({ code: 1, stderr: NOTHING });
    expect(changesSince(before, root)).toEqual([]);
  });

  it('drafts a file that generate does not change and adds to the manifest', () => {
    edit(root, SNAPSHOT, 'length: 100', 'length: 50');
    scaffold();
    const path = `${MANUAL}/0001-Actor-Navn.sql`;
    const text = read(root, path);
    expect(generate(root).code).toBe(0);
    expect(generate(root).code).toBe(0);
    expect(read(root, path)).toBe(text);
    expect(read(root, 'migrations/manifest.yaml')).toMatch(
      /"path": "manual\/0001-Actor-Navn\.sql", "category": "manual", "name": "0001-Actor-Navn", "scope": "tenant", .*\n.*"path": "tables\/Actor\.sql"/,
    );
    const again = scaffold();
    expect(again).toEqual({
      code: 0,
      stdout: 'no changes in the definitions; generate --check also finds new customers\n',
      stderr: NOTHING,
    });
  });
});
