import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { generateRollout, openRollout, type Rollout } from './apply/rollout.fixture.ts';
import { renderJunit } from './render-junit.ts';
import { renderMarkdown, renderText } from './report-lines.ts';
import { edit, write } from './repo.fixture.ts';
import { runCommand } from './target/cli.fixture.ts';
import { small } from './target/small-target.fixture.ts';

describe('a report', () => {
  it('is rendered as text, or as Markdown with a heading, tables and a list', () => {
    const report = [
      'sink_a.b in prod: 2 differences',
      { head: ['schema', 'n'], rows: [['blue', '12']], isNumber: (column: number) => column === 1 },
      'first',
      '  of two lines',
      'second',
    ];
    expect(renderText(report)).toEqual([
      'sink_a.b in prod: 2 differences',
      'schema   n',
      'blue    12',
      'first',
      '  of two lines',
      'second',
    ]);
    expect(renderMarkdown(report).join('\n')).toBe(`### sink\\_a.b in prod

**2 differences**

| schema |  n |
| :----- | -: |
| blue   | 12 |

- first\\
  of two lines
- second
`);
  });

  it.each([
    ['a | b', 'a \\| b'],
    ['<script>', '&#60;script&#62;'],
    ['@admin closes #12', '&#64;admin closes &#35;12'],
    ['[a](https://b) www.c', '\\[a\\](https&#58;//b) www&#46;c'],
    ['`a` *b* _c_ ~d~ \\', '\\`a\\` \\*b\\* \\_c\\_ \\~d\\~ \\\\'],
    ['a\nb\u001b[0m', 'a\\\\u000ab\\\\u001b\\[0m'],
    ['&amp;', '&#38;amp;'],
  ])('escapes %j in Markdown', (text, expected) => {
    expect(renderMarkdown(['t: s', text, { head: [text], rows: [] }]).join('\n')).toBe(
      `### t\n\n**s**\n\n- ${expected}\n\n| ${expected} |\n| :${'-'.repeat(expected.length - 1)} |\n`,
    );
  });

  it('lists at most 100 items in Markdown', () => {
    const lines = renderMarkdown(['t', ...Array.from({ length: 300 }, (_, n) => `line ${n}`)]);
    expect(lines.length).toBeLessThan(110);
    expect(lines.at(-2)).toBe('- and 200 more');
  });

  it('is rendered as JUnit XML with escaped content', () => {
    const cases = [
      { name: 'blue', failures: [] },
      { name: '"<&>\u0007', failures: ["a]]> & 'b'", 'second'] },
    ];
    expect(renderJunit([{ name: 'a in b', cases }])).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="a in b" tests="2" failures="1">
    <testcase classname="a in b" name="blue"/>
    <testcase classname="a in b" name="&quot;&lt;&amp;>\\u0007">
      <failure message="2 found: a]]> &amp; 'b'">a]]&gt; &amp; 'b'
second</failure>
    </testcase>
  </testsuite>
</testsuites>
`);
  });
});

describe('the report of', () => {
  let server: PostgresServer;
  let rollout: Rollout;
  const github = (...args: readonly string[]) =>
    runCommand(rollout.root, small(args[0]!, ...args.slice(1)), {
      ...rollout.env,
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: rollout.root.replace(/[^/]+$/, ''),
    });
  const folder = () => rollout.root.replace(/^.*\//, '');

  beforeAll(async () => {
    server = await startPostgres({ major: 15 });
    const waves = [
      '{ name: first, customers: [c001] }',
      '{ name: second, customers: [c002, c003] }',
      '{ name: rest }',
    ];
    rollout = await openRollout(server, await generateRollout(server, 4, waves));
    await rollout.query('CREATE SCHEMA c002; CREATE TYPE c002."Actor" AS (n integer)');
  }, 120_000);
  afterAll(() => server?.stop());

  it('apply has a row for each wave, and annotates failed statements for GitHub', async () => {
    const plan = await github(
      'apply',
      '--plan-out',
      `${rollout.root}/plan.json`,
      '--format',
      'markdown',
    );
    expect(plan.stdout).toMatch(/^### sink\\_asma\.directory in nonprod\n\n\*\*26 files to apply/);
    expect(plan.stdout).toMatch(/^\| second +\| +2 \| tables\/Actor.sql +\| free/m);
    const run = await github('apply', '--format', 'markdown');
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain(`### sink\\_asma.directory in nonprod

**stopped, 1 customer failed**

| wave   | state       | customers | files applied | customers failed |
| :----- | :---------- | --------: | ------------: | ---------------: |
| first  | done        |         1 |             8 |                0 |
`);
    expect(run.stdout).toMatch(
      /^\| second \| failed +\| +2 \| +\d+ \| +1 \|\n\| rest +\| not started/m,
    );
    expect(run.stdout).toMatch(/^- c002 tables\/Actor.sql: .*\\$/m);
    expect(run.stderr).toMatch(
      new RegExp(
        `^::error file=${folder()}/migrations/tables/Actor.sql,line=\\d+::c002: c002."Actor" is composite type`,
        'm',
      ),
    );
    const plain = await rollout.run('apply', '--format', 'markdown');
    expect(plain.stderr).not.toContain('::error');
  });

  it('status has a row for each schema and wave', async () => {
    const { stdout, exitCode } = await github('status', '--format', 'markdown');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^### sink\\_asma\.directory in nonprod\n\n\*\*not all applied\*\*\n\n\| schema/,
    );
    expect(stdout).toMatch(/^\| second +\| +2 \| +1 \| +0 \| +1 \|$/m);
  });

  it('check has a test case for each schema, and one for a target that cannot be reached', async () => {
    const { stdout, exitCode } = await github('check', '--format', 'junit', '--schema', 'c00?');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^<\?xml/);
    expect(stdout).toContain(
      '<testsuite name="sink_asma.directory in nonprod" tests="4" failures="2">',
    );
    expect(stdout).toContain('name="c001"/>');
    expect(stdout).toMatch(
      /name="c002">\n +<failure message="\d+ found: missing {2}c002\.Actor: table \(tables\/Actor\.sql\); repair: cdc [^"]* --schema c002 --again">/,
    );
    const markdown = await github('check', '--format', 'markdown');
    expect(markdown.stdout).toMatch(
      /^- missing {2}c004\.Actor: table \(tables\/Actor\.sql\); repair: cdc .* --schema c004 --again$/m,
    );
    const env = { ...rollout.env, PG_PORT: '1' };
    const down = await runCommand(rollout.root, small('check', '--format', 'junit'), env);
    expect(down.exitCode).toBe(2);
    expect(down.stdout).toContain(
      '<failure message="1 found: sink_asma.directory in nonprod: cannot be reached',
    );
  });

  it('diff has a row for each change, and --format cannot be combined with --json', async () => {
    const args = ['diff', '--format', 'markdown'];
    edit(rollout.root, 'services/adopus.yaml', '        ignore_columns: [Døv]\n', '');
    const { stdout, exitCode } = await runCommand(rollout.root, args);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^### diff\n\n\*\*1 change in 1 table: 1 free; .*\n\n\| table/);
    expect(await runCommand(rollout.root, [...args, '--json'])).toMatchObject({ exitCode: 2 });
  });

  it('a configuration error annotates its line for GitHub', async () => {
    edit(rollout.root, 'sink-groups.yaml', 'customers: [c001]', 'customers: [c0001]');
    const { stderr, exitCode } = await github('status');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      `::error file=${folder()}/sink-groups.yaml,line=6::unknown customer "c0001"; did you mean "c001"?\n`,
    );
    write(rollout.root, 'sink-groups.yaml', 'a: [\n');
    expect((await github('status')).stderr).toContain(
      `::error file=${folder()}/sink-groups.yaml,line=`,
    );
  });
});
