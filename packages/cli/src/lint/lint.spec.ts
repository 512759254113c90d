import { chmodSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { copyOf, CASES, edit, write } from '../repo.fixture.ts';
import { runCommand } from '../target/cli.fixture.ts';

const PAGE = readFileSync(join(__dirname, '../../../../docs/lint.md'), 'utf8');
let root: string;
beforeAll(async () => {
  root = copyOf(join(CASES, '_base'));
  expect(await runCommand(root, ['generate'])).toMatchObject({ exitCode: 0 });
});

const FILE = 'migrations/after/0001-mine.sql';
async function lint(sql: string): Promise<readonly string[]> {
  write(root, FILE, sql);
  const { stdout } = await runCommand(root, ['lint', '--json']);
  const { findings } = JSON.parse(stdout) as {
    findings: { line: number; rule: string; file: string }[];
  };
  expect(findings.every(({ file }) => file === FILE)).toBe(true);
  return findings.map(({ line, rule }) => `${line} ${rule}`);
}

const ACTOR = '"{{SCHEMA}}"."Actor"';
it.each([
  ['COMMIT;', ['1 cdc-transaction']],
  [`ALTER TABLE ${ACTOR} DROP COLUMN "Navn", DROP COLUMN mine;`, ['1 cdc-drop']],
  [`-- ø\n\n/* b */ DROP TABLE "{{SCHEMA}}"."stg_Actor";`, ['3 cdc-drop']],
  [`ALTER TABLE ${ACTOR} RENAME COLUMN "Navn" TO n;`, ['1 cdc-rename']],
  [`ALTER TABLE ${ACTOR} RENAME TO n;`, ['1 cdc-rename']],
  [`ALTER TABLE ${ACTOR} ALTER COLUMN "Navn" TYPE varchar(3);`, ['1 cdc-type']],
  [`ALTER TABLE ${ACTOR} ALTER COLUMN "Navn" SET NOT NULL;`, ['1 cdc-constraint']],
  [`ALTER TABLE ${ACTOR} ADD CHECK (actno > 0);`, ['1 cdc-constraint']],
  [`ALTER TABLE ${ACTOR} ADD PRIMARY KEY ("Navn");`, ['1 cdc-key']],
  [
    `SELECT 1;\nCREATE TRIGGER t AFTER INSERT ON ${ACTOR} EXECUTE FUNCTION pg_catalog.f();`,
    ['2 cdc-trigger'],
  ],
  [`CREATE INDEX ON ${ACTOR} ("Navn");`, ['1 cdc-index']],
  [`CREATE UNIQUE INDEX CONCURRENTLY ON ${ACTOR} ("Navn");`, ['1 cdc-constraint']],
  ['DELETE FROM "Actor";', ['1 cdc-schema']],
  ['SELECT 1;\nSELEC 2;', ['2 cdc-syntax']],
  [`UPDATE ${ACTOR} SET "Navn" = 'DROP TABLE "Actor"; COMMIT';`, []],
  ['DROP TABLE "{{SCHEMA}}".mine;', []],
  [`-- squawk-ignore cdc-drop, other\nDROP TABLE ${ACTOR};\nDROP TABLE ${ACTOR};`, ['3 cdc-drop']],
  [`-- squawk-ignore other\nDROP TABLE ${ACTOR};`, ['2 cdc-drop']],
  ['DELETE FROM {{SCHEMA}}.mine;', []],
  [`-- squawk-ignore-file cdc-drop\nSELECT 1;\nDROP TABLE ${ACTOR};`, []],
])('reports in %s: %j', async (sql, findings) => {
  expect(await lint(sql)).toEqual(findings);
});

describe('an index of a table with partition_by', () => {
  let partitioned: string;
  const ACTOR_YAML = '          column_templates: [customer_id]\n';
  beforeAll(async () => {
    partitioned = copyOf(root);
    write(partitioned, FILE, 'SELECT 1;');
    edit(
      partitioned,
      'services/adopus.yaml',
      ACTOR_YAML,
      `${ACTOR_YAML}          partition_by: { hash: [actno], count: 2 }\n`,
    );
    expect(await runCommand(partitioned, ['generate'])).toMatchObject({ exitCode: 0 });
  });

  const NAVN = '("Navn")';
  it.each([
    [`CREATE INDEX CONCURRENTLY ON ${ACTOR} ${NAVN};`, ['cdc-partitioned']],
    [`CREATE INDEX CONCURRENTLY ON ONLY ${ACTOR} ${NAVN};`, ['cdc-partitioned']],
    [`CREATE INDEX ON ${ACTOR} ${NAVN};`, ['cdc-index']],
    [`CREATE INDEX CONCURRENTLY ON "{{SCHEMA}}"."stg_Actor" ${NAVN};`, []],
    [`CREATE INDEX CONCURRENTLY ON "{{SCHEMA}}"."Actor_p0" ${NAVN};`, []],
    [`CREATE INDEX CONCURRENTLY ON "{{SCHEMA}}"."Region" ("Kode");`, []],
  ])(
    '%j is reported as %j, with the advice to declare the index in the YAML',
    async (statement, rules) => {
      write(partitioned, FILE, `-- cdc: no-transaction\n\n${statement}`);
      const { stdout } = await runCommand(partitioned, ['lint']);
      const found = stdout.split('\n').filter((line) => line.startsWith(FILE));
      expect(found.map((line) => line.split(':').slice(0, 2).join(':'))).toEqual(
        rules.map((rule) => `${FILE}:3 ${rule}`),
      );
      for (const line of found) {
        expect(line).toMatch(/declare (the index|it) in indexes of the table in the YAML/);
        expect(line).not.toContain('no-transaction');
      }
    },
  );
});

it('renders SARIF with paths relative to the checkout', async () => {
  write(root, FILE, 'SELECT 1;\nCOMMIT;');
  const { stdout, exitCode } = await runCommand(root, ['lint', '--format', 'sarif'], {
    GITHUB_WORKSPACE: join(root, '..'),
  });
  expect(exitCode).toBe(1);
  const { version, runs } = JSON.parse(stdout);
  expect(version).toBe('2.1.0');
  expect(runs).toMatchObject([
    {
      tool: { driver: { rules: [{ id: 'cdc-transaction' }] } },
      results: [
        {
          ruleId: 'cdc-transaction',
          message: { text: expect.stringContaining('expected no BEGIN') },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: `${basename(root)}/${FILE}` },
                region: { startLine: 2 },
              },
            },
          ],
        },
      ],
    },
  ]);
});

it('prints the file, line and rule of a finding and exits with 1, or with 0 without findings', async () => {
  write(root, FILE, 'COMMIT;');
  const found = await runCommand(root, ['lint']);
  expect(found.exitCode).toBe(1);
  expect(found.stdout).toMatch(
    /^migrations\/after\/0001-mine\.sql:1 cdc-transaction: expected no BEGIN/,
  );
  expect(found.stderr).toContain('squawk-cli is not installed');
  write(root, FILE, 'SELECT 1;');
  expect(await runCommand(root, ['lint'])).toMatchObject({
    exitCode: 0,
    stdout: '1 file, 0 findings\n',
  });
});

/** Prints the output of squawk 2.66.0 for `CREATE INDEX a ON b (c)`. */
const SQUAWK = `#!/usr/bin/env node
const file = process.argv.at(-1);
console.log(JSON.stringify([{ file, line: 0, column: 0, level: 'Warning',
  message: 'During normal index creation, table updates are blocked, but reads are still allowed.',
  help: 'Use \`concurrently\` to avoid blocking writes.', rule_name: 'require-concurrent-index-creation',
  column_end: 24, line_end: 0 }]));
process.exitCode = 1;
`;

it('adds the findings of squawk-cli if the repo has it, and reports its failure', async () => {
  const repo = copyOf(root);
  write(repo, FILE, 'CREATE INDEX a ON x.b (c);');
  write(repo, 'node_modules/squawk-cli/package.json', '{"name":"squawk-cli","version":"2.66.0"}');
  write(repo, 'node_modules/squawk-cli/js/bin/squawk', SQUAWK);
  chmodSync(join(repo, 'node_modules/squawk-cli/js/bin/squawk'), 0o755);
  const { exitCode, stdout, stderr } = await runCommand(repo, ['lint']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
  expect(stdout).toContain(
    `${FILE}:1 require-concurrent-index-creation: During normal index creation, table updates are blocked, but reads are still allowed. Use \`concurrently\``,
  );
  write(
    repo,
    'node_modules/squawk-cli/js/bin/squawk',
    'process.stderr.write("broken"); process.exit(2)',
  );
  expect(await runCommand(repo, ['lint'])).toMatchObject({
    exitCode: 2,
    stderr: 'squawk-cli failed: broken\n',
  });
});

it('checks SQL in the YAML of services, and generate --check reports the number of findings', async () => {
  const repo = copyOf(root);
  write(repo, FILE, 'SELECT 1;');
  edit(
    repo,
    'services/adopus.yaml',
    '        adopus.Fraver:\n',
    `        adopus.Fraver:
          manual_migration_hints:
            type_changes: [{ column: FraDato, using: 'left(' }]
            set_not_null: [{ column: FraDato, pre_sql: 'DELETE FROM "Fraver"' }]
`,
  );
  expect(await runCommand(repo, ['generate'])).toMatchObject({ exitCode: 0 });
  const { stdout, exitCode } = await runCommand(repo, ['lint']);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^services\/adopus\.yaml:\d+ cdc-syntax: /m);
  expect(stdout).toMatch(
    /^services\/adopus\.yaml:\d+ cdc-schema: expected a schema before Fraver/m,
  );
  const check = await runCommand(repo, ['generate', '--check']);
  expect(check).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining(
      'lint: 2 findings in hand-written SQL; cdc manage-migrations lint lists them\n',
    ),
  });
});

it('docs/lint.md lists all rules', () => {
  const source = readFileSync(join(__dirname, 'find-in-sql.ts'), 'utf8');
  const rules = new Set([...source.matchAll(/'(cdc-[a-z]+)'/g)].map(([, rule]) => rule));
  const listed = new Set([...PAGE.matchAll(/^\| `(cdc-[a-z]+)`/gm)].map(([, rule]) => rule));
  expect(listed).toEqual(rules);
});
