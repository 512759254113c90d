import { cdc, generate } from '../cdc.fixture.ts';
import { changesSince, copyOf, read, smallRepo, treeOf } from '../repo.fixture.ts';

let done: string;
let root: string;

beforeAll(() => {
  done = smallRepo();
  expect(generate(done).code).toBe(0);
});

beforeEach(() => {
  root = copyOf(done);
});

describe('CDC_DB_USER', () => {
  const roles = (env: Readonly<Record<string, string>>) => generate(root, [], env);

  it.each([
    ['', 'is empty'],
    ['  ', 'is empty'],
    ['cdc\npostgres', 'is not one line of text'],
    ['cdc\u202e', 'has invisible characters'],
    ['public', 'is public, which cannot be a role in PostgreSQL'],
    ['none', 'is none, which cannot be a role in PostgreSQL'],
    ['cdc_{{SCHEMA}}', 'contains {{, which stands for schemas in the SQL'],
    ['é'.repeat(32), 'has 64 bytes, but the name of a role can have at most 63'],
  ])('cannot be %j', (role, problem) => {
    const before = treeOf(root);
    expect(roles({ CDC_DB_USER: role })).toEqual({
      code: 2,
      stdout: '',
      stderr: `CDC_DB_USER ${problem}; set it to the name of a PostgreSQL role or unset it\n`,
    });
    expect(changesSince(before, root)).toEqual([]);
  });

  it.each([
    ['o"brien', '"o""brien"', `'o"brien'`],
    ["o'brien", `"o'brien"`, `'o''brien'`],
    ['svc$', '"svc$"', `'svc$'`],
    ['é'.repeat(31), `"${'é'.repeat(31)}"`, `'${'é'.repeat(31)}'`],
  ])('with the value %s is quoted in every GRANT', (role, identifier, literal) => {
    expect(roles({ CDC_DB_USER: role }).code).toBe(0);
    expect(read(root, 'migrations/schemas/create-schemas.sql')).toContain(`rolname = ${literal}`);
    const granted = [...treeOf(root).keys()]
      .filter((path) => path.endsWith('.sql'))
      .flatMap((path) => read(root, path).match(/^(?:.* )?TO ".*$/gm) ?? []);
    expect(granted.length).toBeGreaterThan(5);
    for (const line of granted) expect(line.endsWith(`TO ${identifier};`)).toBe(true);
  });

  it('cannot end the DO block that checks whether the role exists', () => {
    expect(roles({ CDC_DB_USER: 'a$role$b' }).code).toBe(0);
    const text = read(root, 'migrations/schemas/create-schemas.sql');
    const [, tag, body] = /^DO (\$\w+\$)\n([^]*?)\n\1;$/m.exec(text) ?? [];
    expect(tag).not.toBe('$role$');
    expect(body).toContain(`rolname = 'a$role$b'`);
  });

  it('does not change table definitions, final tables or migration sets', () => {
    const before = treeOf(root);
    expect(roles({ CDC_DB_USER: 'cdc' }).code).toBe(0);
    expect(changesSince(before, root)).toEqual([
      '~ migrations/infrastructure/cdc-management.sql',
      '~ migrations/manifest.yaml',
      '~ migrations/schemas/create-schemas.sql',
      '~ migrations/staging/Actor-staging.sql',
      '~ migrations/staging/Fraver-staging.sql',
      '~ migrations/staging/Region-staging.sql',
    ]);
  });
});

it('refuses to generate without CDC_DB_USER if files grant privileges to another role', () => {
  const role = 'one; two';
  expect(generate(root, [], { CDC_DB_USER: role }).code).toBe(0);
  const before = treeOf(root);
  for (const args of [[], ['--check'], ['--dry-run'], ['--force'], ['--table', 'Actor']])
    expect(generate(root, args)).toEqual({
      code: 2,
      stdout: '',
      stderr: `migrations/manifest.yaml: the files grant privileges to the role "${role}", but CDC_DB_USER is not set; set it to ${role} wherever files are generated, or to postgres to grant the privileges to it instead\n`,
    });
  expect(changesSince(before, root)).toEqual([]);
  const doctor = cdc(['manage-migrations', 'doctor', '--env', 'nonprod', '--json'], { cwd: root });
  expect(JSON.parse(doctor.stdout).findings).toContainEqual({
    ...{ level: 'error', about: 'generated files' },
    says: `migrations/manifest.yaml: the files grant privileges to the role "${role}", but CDC_DB_USER is not set`,
    solution: `set it to ${role} wherever files are generated, or to postgres to grant the privileges to it instead`,
  });
  // With --only this is a warning, because Nx targets depend only on their inputs. check-generated refuses.
  expect(generate(root, ['--only', 'migrations', '--dry-run'])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(
      'grant privileges to the role "one; two" and would now grant them to "postgres"',
    ),
  });
  const changed = generate(root, [], { CDC_DB_USER: 'postgres' });
  expect(changed).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(
      'grant privileges to the role "one; two" and would now grant them to "postgres"',
    ),
  });
  expect(generate(root, ['--check'])).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining('role'),
  });
});

it('refuses a new role with --table or --service, because other files grant to the old role', () => {
  expect(generate(root, [], { CDC_DB_USER: 'one' }).code).toBe(0);
  const before = treeOf(root);
  for (const narrowed of [
    ['--table', 'Actor'],
    ['--service', 'adopus'],
  ]) {
    expect(generate(root, narrowed, { CDC_DB_USER: 'other' })).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'migrations/manifest.yaml: the files grant privileges to the role "one", but CDC_DB_USER is now "other"; run generate without --table and --service first\n',
    });
  }
  expect(changesSince(before, root)).toEqual([]);
  expect(generate(root, ['--table', 'Actor'], { CDC_DB_USER: 'one' }).code).toBe(0);
});
