import { join } from 'node:path';
import { cdc, generate } from '../cdc.fixture.ts';
import { copyOf, edit, emptyFolder, smallRepo, write } from '../repo.fixture.ts';

const ASMA = join(__dirname, '../../../../fixtures/asma');
const CONNECTIONS = { POSTGRES_PASSWORD: '' };
const LABEL = 'sink_asma.directory in nonprod';

let root: string;
beforeAll(() => {
  root = smallRepo();
  expect(generate(root).code).toBe(0);
});

/** No server of the repo is reachable, so all of this happens before the first connection. */
const run = (cwd: string, ...args: readonly string[]) =>
  cdc(['manage-migrations', ...args], { cwd, env: CONNECTIONS });

it.each(['apply', 'apply --dry-run', 'apply --check', 'check', 'status', 'baseline'])(
  '%s refuses a schema that no target has',
  (command) => {
    expect(run(root, ...command.split(' '), '--env', 'nonprod', '--schema', 'adopsu')).toEqual({
      code: 2,
      stdout: '',
      stderr: `--schema adopsu: unknown schema; ${LABEL} has public, avansas, blue\n`,
    });
  },
);

it('status --offline selects schemas, and refuses unknown environments and schemas', () => {
  const offline = (...args: readonly string[]) => run(root, 'status', '--offline', ...args);
  expect(offline('--env', 'nonprod', '--schema', 'blue')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`${LABEL}: 8 files for 1 schema;`),
  });
  expect(offline('--env', 'embedded')).toMatchObject({ code: 0 });
  expect(offline('--env', 'nonprod', '--schema', 'x*')).toMatchObject({
    code: 2,
    stderr: `--schema x*: unknown schema; ${LABEL} has public, avansas, blue\n`,
  });
  expect(offline('--env', 'nonpord')).toMatchObject({
    code: 2,
    stderr: '--env nonpord: no sink has this environment; known: nonprod, embedded\n',
  });
});

it('skips targets without the requested schema if another target has it', () => {
  const asma = copyOf(ASMA);
  const args = ['status', '--env', 'embedded', '--offline', '--json'];
  const all = JSON.parse(run(asma, ...args).stdout).targets;
  expect(all.length).toBeGreaterThan(1);
  const schema = all[1].schemas.find((name: string) => !all[0].schemas.includes(name));
  const { stdout } = run(asma, ...args, '--schema', schema);
  expect(JSON.parse(stdout).targets).toEqual([{ ...all[1], schemas: [schema] }]);
});

it('reports a missing manifest without a stack trace', () => {
  const empty = smallRepo();
  expect(generate(empty, ['--only', 'table-defs']).code).toBe(0);
  const { code, stderr } = run(empty, 'status', '--env', 'nonprod');
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: `${LABEL}: migrations/manifest.yaml not found; cdc manage-migrations generate writes it\n`,
  });
});

it('resolves ca_file relative to the repo, regardless of the working directory', () => {
  const other = smallRepo();
  edit(other, 'sink-groups.yaml', "PASSWORD}' }", "PASSWORD}', ca_file: certificates/ca.pem }");
  write(other, 'certificates/ca.pem', 'no certificate\n');
  expect(generate(other).code).toBe(0);
  const there = ['--root', other, 'status', '--env', 'nonprod'];
  expect(run(emptyFolder(), ...there).stderr).toContain('its ca_file holds no certificate in PEM');
  edit(other, 'sink-groups.yaml', 'certificates/ca.pem', join(other, 'certificates/ca.pem'));
  expect(run(emptyFolder(), ...there).stderr).toContain('its ca_file holds no certificate in PEM');
});
