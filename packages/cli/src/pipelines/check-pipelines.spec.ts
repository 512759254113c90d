import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdc } from '../cdc.fixture.ts';
import { adopusRepo, edit, emptyFolder, write } from '../repo.fixture.ts';
import type { Mismatch } from './find-mismatches.ts';

const ADOPUS = join(__dirname, '../../../../fixtures/adopus');
const ASMA = join(__dirname, '../../../../fixtures/asma');
/** Tables and columns in INSERTs of the original tool's pipelines, with their original quotes. */
const ORIGINAL = join(__dirname, 'original-inserts.fixture.json');

function check(args: readonly string[], cwd = ADOPUS) {
  const { code, stdout, stderr } = cdc(['manage-pipelines', 'check', ...args], { cwd });
  return { code, stderr, lines: stdout.split('\n').slice(0, -1) };
}

/** Checks a file with a text. Returns its mismatches with code and line. */
function checkText(name: string, text: string, cwd = ADOPUS) {
  const folder = emptyFolder();
  write(folder, name, text);
  const { code, stdout, stderr } = cdc(
    ['manage-pipelines', 'check', '--json', join(folder, name)],
    { cwd },
  );
  const { mismatches = [], mismatched } = JSON.parse(stdout) as {
    readonly mismatches?: readonly Mismatch[];
    readonly mismatched: number;
  };
  const found = mismatches.map((mismatch) => [mismatch.line, mismatch.code, mismatch.column]);
  return { code, stderr, mismatches, mismatched, found };
}

const POSITION = ['__source_db', '__source_table', '__kafka_partition', '__kafka_offset'];
const METADATA = [...POSITION, '__cdc_operation'].map((name) => `"${name}"`);

/** Columns of a correct INSERT into stg_Region. */
const REGION = ['"RegionNr"', '"Navn"', '"Descr"', '"_customer_id"', ...METADATA];

const insertRegion = (columns: readonly string[], values = columns.map((_, n) => `$${n + 1}`)) =>
  `INSERT INTO "stg_Region" (${columns.join(', ')}) VALUES (${values.join(', ')});\n`;

it('reports the 6 of the 39 INSERTs of the original tool that do not match, with the reasons', () => {
  const { code, stderr, lines } = check([ORIGINAL]);
  expect(lines.map((line) => line.replace(ORIGINAL, 'FILE'))).toEqual([
    'FILE:20 "stg_Actor" "Dov": no such column: "Døv" of the source is not staged: it is in ignore_columns of services/adopus.yaml; remove it from the INSERT',
    'FILE:21 "stg_Actor" "Fodeland": no such column: "Fødeland" of the source is not staged: it is in ignore_columns of services/adopus.yaml; remove it from the INSERT',
    'FILE:366 "stg_DagligeNotater" "Lengde": no such column: it is computed at the source, and CDC does not replicate it; remove it from the INSERT',
    'FILE:410 "stg_DocReg" "Innhold": no such column: it is in ignore_columns of services/adopus.yaml; remove it from the INSERT',
    'FILE:859 "stg_Tiltak" "Aktiv": no such column: it is computed at the source, and CDC does not replicate it; remove it from the INSERT',
    ...[
      [911, 1, '2619c892'],
      [912, 2, 'f2dd12d9'],
    ].map(
      ([line, n, hash]) =>
        `FILE:${line} "stg_TiltakTilbydt" "BegrunnelseForAvslagPaaTilbudOmTiltakEtterVurderingFraNavKontoretsSaksbehandler${n}": it has 80 bytes, and PostgreSQL cuts it at 63; the column is "BegrunnelseForAvslagPaaTilbudOmTiltakEtterVurderingFra_${hash}"`,
    ),
    'FILE:940 "stg_Ytelse" "Ra tekst": the column is "Rå tekst"; write it so, or set column_names: ascii',
    'FILE:941 "stg_Ytelse" "Say "hi"": expected a name with each quote in it doubled, found "Say "hi""; write "Say ""hi"""',
    '39 INSERTs: 33 fit, 6 do not',
  ]);
  expect([code, stderr]).toEqual([1, '']);
});

it('accepts the spelling of the original tool with column_names: ascii', () => {
  const root = adopusRepo();
  edit(
    root,
    'sink-groups.yaml',
    '  type: postgres',
    '  type: postgres\n  pipeline: { column_names: ascii }',
  );
  const { lines } = check([ORIGINAL], root);
  expect(lines.filter((line) => /Ra tekst|Rå tekst/.test(line))).toEqual([]);
  expect(lines.filter((line) => line.includes('stg_Ytelse'))).toMatchObject([
    expect.stringContaining('Say ""hi""'),
  ]);
  const { mismatches } = checkText(
    'a.sql',
    'INSERT INTO "stg_Ytelse" ("Rå tekst") SELECT $1',
    root,
  );
  expect(mismatches[0]).toMatchObject({
    ...{ line: 1, table: '"stg_Ytelse"', column: '"Rå tekst"', code: 'named otherwise' },
    message: 'the column is "Ra tekst"',
  });
});

describe('SQL', () => {
  it('matches if it has every column, comments, quotes and the schema of a customer', () => {
    const sql = `-- INSERT INTO nothing (x)
/* INSERT INTO "none" */ SELECT 'INSERT INTO "none" (a)', $$INSERT INTO x (y)$$;
${insertRegion(REGION).replace('"stg_Region"', 'fretex."stg_Region" AS s')}`;
    expect(checkText('a.sql', sql)).toMatchObject({ code: 0, found: [], stderr: '' });
  });

  it.each<[string, string, readonly (readonly [number, string, (string | undefined)?])[]]>([
    ['an unknown table', 'INSERT INTO "stg_Regoin" ("Navn") SELECT 1', [[1, 'unknown table']]],
    ['a final table', 'INSERT INTO "Region" ("Navn") SELECT 1', [[1, 'final table']]],
    ['a table in lowercase', '\nINSERT INTO stg_Region ("Navn") SELECT 1', [[2, 'case']]],
    [
      'an unknown schema',
      insertRegion(REGION).replace('"stg', 'nobody."stg'),
      [[1, 'unknown schema']],
    ],
    ['a table without a closing quote', 'INSERT INTO "stg_Region (a) SELECT 1', [[1, 'quoting']]],
    ['a missing list of columns', 'INSERT INTO "stg_Region" VALUES (1)', [[1, 'no columns']]],
    [
      'a column without quotes',
      insertRegion(REGION).replace('"Navn"', 'Navn'),
      [[1, 'case', 'Navn']],
    ],
    [
      'a column whose case differs',
      insertRegion(REGION).replace('"Navn"', '"NAVN"'),
      [[1, 'case', '"NAVN"']],
    ],
    [
      'a misspelled column',
      insertRegion(REGION).replace('Navn', 'Namn'),
      [
        [1, 'unknown column', '"Namn"'],
        [1, 'missing', '"Navn"'],
      ],
    ],
    [
      'an ON CONFLICT clause, which needs a key',
      `${insertRegion(REGION).replace(';', '\nON CONFLICT DO NOTHING;')}${insertRegion(REGION)}`,
      [[2, 'conflict', undefined]],
    ],
    ['a duplicate column', insertRegion([...REGION, '\n"Navn"']), [[2, 'duplicate', '"Navn"']]],
    ['a missing key column', insertRegion(REGION.slice(1)), [[1, 'missing', '"RegionNr"']]],
    [
      'a missing column',
      insertRegion(REGION.filter((name) => name !== '"Navn"')),
      [[1, 'missing', '"Navn"']],
    ],
    [
      'a missing position',
      insertRegion(REGION.filter((name) => name !== '"__kafka_offset"')),
      [[1, 'missing', '"__kafka_offset"']],
    ],
    ['a different number of values', insertRegion(REGION, ['1', '2']), [[1, 'count', undefined]]],
    [
      'a number for a uuid',
      insertRegion(REGION, ["'1'", "'a'", "'b'", '7', "'c'", "'d'", '0', '0', "'c'"]),
      [[1, 'form', '"_customer_id"']],
    ],
    [
      'a text for a number',
      insertRegion(REGION, ["'1.5'", "'a'", "'b'", 'NULL', "'c'", "'d'", '0', '0', "'c'"]),
      [[1, 'form', '"RegionNr"']],
    ],
  ])('reports %s', (_, sql, expected) => {
    const { code, found } = checkText('a.sql', sql);
    expect(found).toEqual(expected.map(([line, why, column]) => [line, why, column]));
    expect(code).toBe(1);
  });

  it('suggests a solution if no name is similar', () => {
    const messages = (sql: string) =>
      checkText('a.sql', sql).mismatches.map(({ message }) => message);
    expect(messages('INSERT INTO "stg_Invoice" ("Id") SELECT 1')).toEqual([
      'there is no staging table "stg_Invoice"; add its table to services/<service>.yaml, or name the repo that has it with --root',
    ]);
    expect(messages(insertRegion([...REGION, '"__op"', '"Fylkesgrense"'])).slice(0, 2)).toEqual([
      expect.stringMatching(
        /^no such column; metadata columns are __kafka_offset, .*__cdc_operation/,
      ),
      'no such column; run generate --refresh if the source has it, or remove it from the INSERT',
    ]);
    expect(messages(insertRegion(REGION.filter((name) => name !== '"Descr"')))).toEqual([
      'not in the INSERT: it would be NULL in every row; insert it, or add it to ignore_columns of its source table',
    ]);
  });

  it('reports the expected form of a date, bytes and a UUID', () => {
    const sql = `INSERT INTO "stg_Actor" ("actno", "Fodselsdato", "Bilde", "RowGuid") VALUES (1, '20240101', 'AQID', 'x')`;
    const forms = checkText('a.sql', sql).mismatches.filter(({ code }) => code === 'form');
    expect(forms.map(({ message }) => message)).toEqual([
      "date: expected a date as 2024-01-31, found '20240101'",
      "bytea: expected bytes as \\xdeadbeef, found 'AQID'",
      "uuid: expected a uuid, found 'x'",
    ]);
  });
});

const mapping = (elements: readonly string[]) => `root = [ # of the event
        ${elements.join(',\n        ')}, ]`;

describe('Bento and Redpanda Connect', () => {
  it('reads every sql_insert and SQL statement at any depth', () => {
    const columns = `[${REGION.map((name) => `'${name}'`).join(', ')}]`;
    const yaml = `
x-insert: &insert
  driver: postgres
  columns: &columns ${columns}
input: { sql_select: { table: region, columns: [a] } }
output:
  switch:
    cases:
      - output:
          fallback:
            - sql_insert: { <<: *insert, table: '"stg_Region"' }
            - sql_insert: { table: '"\${CDC_SCHEMA}"."stg_Regions"', columns: *columns }
      - output:
          broker:
            outputs:
              - sql_raw:
                  query: |
                    INSERT INTO "stg_Region"
                      ("Navn") VALUES ($1)
              - sql_insert:
                  table: '"cdc_management"."refused_event"'
                  columns: [topic]
`;
    const { code, found, mismatched } = checkText('a.yaml', yaml);
    expect(found.slice(0, 1)).toEqual([[12, 'unknown table', undefined]]);
    expect(found.slice(1).map(([line, why]) => [line, why])).toEqual(
      REGION.filter((name) => name !== '"Navn"').map(() => [18, 'missing']),
    );
    expect([code, mismatched]).toEqual([1, 2]);
  });

  it('checks the values of a column in args_mapping', () => {
    const event = (bytes: string) => `
output:
  sql_insert:
    table: '"stg_DocReg"'
    columns: ['"DocID"', '"Ts"', '"Sha256"']
    args_mapping: |
      let row = this.payload.after # of [the event]
      ${mapping(['$row.DocID', bytes, '$row.Sha256.decode("base64")'])}
`;
    const forms = (text: string) =>
      checkText('a.yml', text).mismatches.filter(({ code }) => ['form', 'count'].includes(code));
    expect(forms(event('$row.Ts.decode("base64")'))).toEqual([]);
    expect(forms(event('$row.Ts'))).toMatchObject([
      {
        line: 5,
        code: 'form',
        column: '"Ts"',
        message: expect.stringMatching(/^bytea: expected bytes/),
      },
    ]);
    expect(forms(event('1, 2'))).toMatchObject([{ code: 'count' }]);
  });

  it('refuses a suffix with ON CONFLICT, which needs a key', () => {
    const columns = `[${REGION.map((name) => `'${name}'`).join(', ')}]`;
    const yaml = `output:
  sql_insert:
    table: '"stg_Region"'
    columns: ${columns}
    suffix: on conflict ("RegionNr") do nothing
`;
    expect(checkText('a.yaml', yaml)).toMatchObject({
      code: 1,
      found: [[5, 'conflict', undefined]],
    });
  });

  it('warns that parse_json() rounds numbers', () => {
    const columns = `[${REGION.map((name) => `'${name}'`).join(', ')}]`;
    const yaml = `output:
  sql_insert:
    table: '"stg_Region"'
    columns: ${columns}
    args_mapping: |
      let e = content().parse_json()
      root = $e.values()
`;
    const { code, stderr } = checkText('a.yaml', yaml);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: .*a\.yaml:6: parse_json\(\) rounds/);
  });
});

it('reads the list of tables and columns in docs/connect-your-pipeline.md', () => {
  const page = readFileSync(join(__dirname, '../../../../docs/connect-your-pipeline.md'), 'utf8');
  const [, json] = /^```json\n([^`]*)```$/m.exec(page)!;
  const { mismatches, found } = checkText('a.json', json!);
  expect(new Set(found.map(([, code]) => code))).toEqual(new Set(['missing']));
  expect(mismatches[0]!.table).toBe('"stg_Distrikt"');
});

describe('the search for a staging table', () => {
  const insert = (table: string) =>
    `INSERT INTO ${table} (user_id, customer_id, __source_db, __source_table, __kafka_partition, __kafka_offset, __cdc_operation) SELECT 1`;

  it('uses the schema of the INSERT, and reports an unknown schema', () => {
    const names = (table: string) => checkText('a.sql', insert(table), ASMA);
    expect(names('directory."stg_users"').mismatched).toBe(1);
    expect(names('proxy."stg_users"').found).toEqual([[1, 'unknown schema', undefined]]);
  });

  it('accepts --sink, and refuses an unknown sink', () => {
    expect(check(['--sink', 'sink_none', ORIGINAL])).toMatchObject({
      code: 2,
      stderr: '--sink sink_none: unknown sink; known: sink_asma.directory\n',
    });
    expect(check(['--sink', 'sink_asma.directory', ORIGINAL]).code).toBe(1);
  });
});

it.each([
  ['none.yaml', undefined, 'cannot be read: no such file or folder'],
  ['a.yaml', 'input: {}\n', 'expected INSERT statements'],
  ['a.yaml', 'input: {a: 1\nb: ]\n', 'a.yaml:2: invalid YAML'],
  ['a.yaml', `a:\n  ${'- '.repeat(20_000)}\nb: 1\n`, 'a.yaml: invalid YAML: nested too deeply'],
  ['a.json', '{"a": 1}', 'or a list such as [{"table": …, "columns": […]}], found none'],
  ['a.go', 'x', 'expected a .yaml, .yml, .json or .sql file; write the INSERT of a program'],
])('refuses %s with %j', (name, text, message) => {
  const folder = emptyFolder();
  if (text !== undefined) write(folder, name, text);
  const { code, stderr } = check([join(folder, name)]);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});

describe('a file that could take forever', () => {
  const MERGES = Array.from({ length: 40 }, (_, n) =>
    n === 0
      ? 'a0: &a0 { table: x, columns: [y] }\n'
      : `a${n}: &a${n}\n  <<: *a${n - 1}\n  "<<": *a${n - 1}\n  ? <<\n  : *a${n - 1}\n`,
  ).join('');
  const manyInserts = (count: number) =>
    Array.from({ length: count }, (_, n) => `INSERT INTO "x"."stg_Actor" ("a") VALUES (${n});\n`);

  it.each([
    ['merges that double at every level', 'a.yaml', MERGES, 40],
    ['a mapping that merges itself', 'a.yaml', 'a: &a { <<: *a, table: x, columns: [y] }\n', 1],
    [
      'an alias in every INSERT',
      'a.yaml',
      `base: &b [x]\nlist:\n${'  - { table: x, columns: *b }\n'.repeat(10_000)}`,
      10_000,
    ],
    ['INSERTs in an SQL file', 'a.sql', manyInserts(15_000).join(''), 15_000],
    [
      'INSERTs in a statement of YAML',
      'a.yaml',
      `a:\n  query: |\n    ${manyInserts(15_000).join('    ')}`,
      15_000,
    ],
    [
      'variables that are never closed',
      'a.yaml',
      `a: { table: '${'${'.repeat(300_000)}', columns: [x] }\nb: { table: '${'{{'.repeat(300_000)}', columns: [x] }\n`,
      2,
    ],
    [
      'a number with 400,000 digits',
      'a.sql',
      `INSERT INTO "stg_Actor" ("Timelonn") VALUES ('${'1'.repeat(400_000)}x');`,
      1,
    ],
    ['a literal of 20 MB', 'a.sql', `INSERT INTO x (y) VALUES ('${'a'.repeat(20_000_000)}');`, 1],
  ])('is checked: %s', (_, name, text, mismatched) => {
    expect(checkText(name, text)).toMatchObject({ code: 1, stderr: '', mismatched });
  });
});

it('refuses a YAML file of more than 5 MB', () => {
  const folder = emptyFolder();
  write(folder, 'a.yaml', 'x'.repeat(6_000_000));
  const { code, stderr } = check([join(folder, 'a.yaml')]);
  expect(stderr).toContain('a.yaml: expected at most 5.0 MB, found 6.0 MB');
  expect(code).toBe(2);
});
