import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyOf, edit, write } from '../repo.fixture.ts';
import { type ChangedTarget, openChangedTarget } from '../retire/changed-target.fixture.ts';
import { runCommand } from '../target/cli.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/existing-tables.md'), 'utf8');

/** Key, operation and offset of an event, with a day of January 2026. */
type Event = readonly [key: number, operation: 'c' | 'u' | 'd', offset: number, day?: number];

/** Out of order, with duplicates, and a delete before an older update. */
const EVENTS: readonly Event[] = [
  [1, 'u', 12, 12],
  [1, 'c', 10, 10],
  [2, 'd', 22],
  [2, 'u', 21, 21],
  [3, 'c', 30, 30],
  [3, 'c', 30, 30],
];

describe.each([15, 18] as const)('an existing table, on PostgreSQL %i', (major) => {
  let target: ChangedTarget;
  beforeAll(async () => {
    target = await openChangedTarget(major, { prepare: async () => {} });
  });
  afterAll(() => target?.server.stop());
  beforeEach(() => target.reset());

  /** Copies the repo with the YAML and the SQL of a section of the page. */
  const repoOf = (section: string) => {
    const root = copyOf(target.repo.root);
    const [, yaml] = /^```yaml\n([^]*?)^```/m.exec(section)!;
    edit(
      root,
      'services/adopus.yaml',
      '        adopus.Fraver:',
      `${yaml!.replaceAll(/^/gm, '        ').trimEnd()}\n        adopus.Fraver:`,
    );
    const sql = / `(migrations\/.+?)`:\n\n```sql\n([^]*?)^```/m.exec(section);
    if (sql) write(root, sql[1]!, sql[2]!);
    return root;
  };
  const follow = async (section: string, root: string) => {
    const codes = [];
    for (const [, command] of section.matchAll(/^npx --no-install cdc manage-migrations (.+)$/gm)) {
      const args = command!
        .replace(/ --env nonprod/, '')
        .split(' ')
        .map((word) => word.replaceAll('"', ''));
      const run = command!.includes('--env')
        ? await target.run(root, args[0]!, ...args.slice(1))
        : await runCommand(root, args);
      codes.push(run.exitCode);
      if (run.exitCode !== 0) throw new Error(`${command}: ${run.stdout}${run.stderr}`);
    }
    return codes;
  };
  const merge = async (
    root: string,
    table: string,
    [key, day]: readonly [string, string],
    events: readonly Event[],
    schema = 'blue',
  ) => {
    await target.query(
      events
        .map(
          ([id, operation, offset, at]) =>
            `INSERT INTO ${schema}."stg_${table}" (${key}, ${day}, __source_db, __source_table, __cdc_operation, __kafka_partition, __kafka_offset)
             VALUES (${id}, ${at === undefined ? 'NULL' : `'2026-01-${at}'`}, 'AdOpus', 'Fraver', '${operation}', 0, ${offset})`,
        )
        .join(';'),
    );
    expect((await target.run(root, 'merge')).exitCode).toBe(0);
  };
  const rows = async (query: string) =>
    (await target.query(query)).map((row) => Object.values(row));

  it('with metadata columns accepts events in any order, and keeps its other rows and columns', async () => {
    for (const schema of ['blue', 'avansas'])
      await target.query(`CREATE TABLE ${schema}.absence (absence_id integer PRIMARY KEY, note text DEFAULT '', from_date date);
        INSERT INTO ${schema}.absence VALUES (2, 'mine', '2025-01-01'), (9, 'mine', '2025-01-09')`);
    const section = PAGE.split('\n## ')[1]!;
    const root = repoOf(section);
    expect(await follow(section, root)).toEqual([0, 0, 0, 0]);
    for (let times = 0; times < 2; times++) {
      await merge(root, 'absence', ['absence_id', 'from_date'], EVENTS);
      expect(
        await rows(`SELECT absence_id, note, from_date::text FROM blue.absence ORDER BY 1`),
      ).toEqual([
        [1, '', '2026-01-12'],
        [3, '', '2026-01-30'],
        [9, 'mine', '2025-01-09'],
      ]);
    }
    expect((await target.run(root, 'apply')).stdout).toContain('files: 0 applied');
    expect((await target.run(root, 'check')).exitCode).toBe(0);
  });

  it('is applied after its type is corrected, and follows a renamed customer', async () => {
    await target.query(`CREATE TABLE blue.absence (absence_id integer PRIMARY KEY, from_date date);
      CREATE TABLE avansas.absence (absence_id integer PRIMARY KEY, from_date text);
      INSERT INTO avansas.absence VALUES (9, '2025-01-09')`);
    const root = repoOf(PAGE.split('\n## ')[1]!);
    expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
    expect(await target.run(root, 'apply')).toMatchObject({
      exitCode: 5,
      stdout: expect.stringMatching(/avansas .*from_date/),
    });
    await merge(root, 'absence', ['absence_id', 'from_date'], EVENTS);
    const merged = [
      [1, '2026-01-12'],
      [3, '2026-01-30'],
    ];
    const read = (schema: string) =>
      rows(`SELECT absence_id, from_date::text FROM ${schema}.absence ORDER BY 1`);
    expect(await read('blue')).toEqual(merged);
    expect(await read('avansas')).toEqual([[9, '2025-01-09']]);

    await target.query(
      'ALTER TABLE avansas.absence ALTER from_date TYPE date USING from_date::date',
    );
    edit(root, 'source-groups.yaml', '    blue:', '    green:');
    expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
    const rename = await target.run(root, 'rename', '--customer', 'blue', '--to', 'green');
    expect(rename).toMatchObject({ exitCode: 0 });
    expect(await target.run(root, 'apply')).toMatchObject({ exitCode: 0 });
    await merge(root, 'absence', ['absence_id', 'from_date'], EVENTS, 'green');
    await merge(root, 'absence', ['absence_id', 'from_date'], EVENTS, 'avansas');
    expect(await read('green')).toEqual(merged);
    expect(await read('avansas')).toEqual([...merged, [9, '2025-01-09']]);
    expect((await target.run(root, 'apply')).stdout).toContain('files: 0 applied');
    expect((await target.run(root, 'check')).exitCode).toBe(0);
  });

  it('without metadata columns is updated from its feed, and a refused event is a dead letter', async () => {
    for (const schema of ['blue', 'avansas'])
      await target.query(`CREATE TABLE ${schema}.holiday (id integer PRIMARY KEY, day date CHECK (day > '2026-01-05'));
        INSERT INTO ${schema}.holiday VALUES (2, '2026-02-02'), (9, '2026-02-09')`);
    const section = PAGE.split('\n## ')[2]!;
    const root = repoOf(section);
    expect(await follow(section, root)).toEqual([0, 0, 0]);
    await merge(root, 'holiday_feed', ['id', 'day'], [[2, 'c', 20, 20]]);
    const events = [...EVENTS, [4, 'c', 40, '01'] as unknown as Event];
    for (let times = 0; times < 2; times++) {
      await merge(root, 'holiday_feed', ['id', 'day'], events);
      expect(await rows(`SELECT id, day::text FROM blue.holiday ORDER BY 1`)).toEqual([
        [1, '2026-01-12'],
        [3, '2026-01-30'],
        [9, '2026-02-09'],
      ]);
    }
    expect(
      await rows(`SELECT DISTINCT kafka_offset::integer FROM cdc_management.dead_letter`),
    ).toEqual([[40]]);
    expect((await target.run(root, 'apply')).stdout).toContain('files: 0 applied');
  });
});
