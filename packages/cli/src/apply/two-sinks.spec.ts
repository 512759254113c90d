import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeRepo, runCommand } from '../target/cli.fixture.ts';

const ASMA = join(__dirname, '../../../../fixtures/asma');
const EMBEDDED = ['--env', 'embedded'];
const PORTAL = 'sink_portal.search in embedded';
const WAREHOUSE = 'sink_warehouse.analytics in embedded';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cdc-asma-'));
  cpSync(ASMA, root, { recursive: true, filter: (path) => !path.endsWith('.cdc') });
});
afterAll(() => removeRepo(root));

interface Difference {
  readonly schema: string;
  readonly name: string;
  readonly message: string;
}

async function differences(): Promise<readonly (readonly [string, readonly string[]])[]> {
  const { exitCode, stdout } = await runCommand(root, ['check', ...EMBEDDED, '--json']);
  const { targets } = JSON.parse(stdout) as {
    targets: readonly { target: string; differences: readonly Difference[] }[];
  };
  expect(exitCode).toBe(targets.some((found) => found.differences.length > 0) ? 1 : 0);
  return targets.map(({ target, differences: found }) => [
    target,
    found.map(({ schema, name, message }) => `${schema}.${name}: ${message}`),
  ]);
}

/** Makes a change like a user: adds a file, regenerates the manifest, applies. */
async function change(name: string, sql: string): Promise<void> {
  const folder = join(root, 'migrations/sink_portal.search/manual');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${sql}\n`);
  expect((await runCommand(root, ['generate'])).exitCode).toBe(0);
  expect(await runCommand(root, ['apply', ...EMBEDDED])).toMatchObject({ exitCode: 0 });
}

it('two sinks are applied, each with the schemas of its services', async () => {
  const first = await runCommand(root, ['apply', ...EMBEDDED]);
  expect(first.exitCode).toBe(0);
  const status = await runCommand(root, ['status', ...EMBEDDED]);
  expect(status).toMatchObject({ exitCode: 0 });
  expect(status.stdout).toContain(`${PORTAL}: all applied`);
  expect(status.stdout).toContain(`${WAREHOUSE}: all applied`);
  const again = await runCommand(root, ['apply', ...EMBEDDED]);
  expect(again.stdout).toMatch(/files: 0 applied, 4 applied before/);
  expect(again.stdout).toMatch(/files: 0 applied, 30 applied before/);
});

it('check reports the differences of an existing table until its columns are corrected', async () => {
  const people = 'public.people: column';
  expect(await differences()).toEqual([
    [
      PORTAL,
      [
        `${people} "mail": column is missing, wanted character varying(254) for email character varying(254)`,
      ],
    ],
    [WAREHOUSE, []],
  ]);
  await change(
    '0001-mail.sql',
    'ALTER TABLE public.people ADD mail integer NOT NULL, ALTER display_name SET NOT NULL;',
  );
  expect(await differences()).toEqual([
    [
      PORTAL,
      [
        `${people} "mail": column has another type: integer, wanted character varying(254) for email character varying(254)`,
        `${people} "mail": column is NOT NULL, and email character varying(254) can be NULL`,
        `${people} "display_name": column is NOT NULL without a default, and nothing is mapped to it`,
      ],
    ],
    [WAREHOUSE, []],
  ]);
  await change(
    '0002-mail.sql',
    `ALTER TABLE public.people ALTER mail TYPE varchar(100), ALTER mail DROP NOT NULL,
  ALTER display_name SET DEFAULT '';`,
  );
  expect(await differences()).toEqual([
    [
      PORTAL,
      [
        `${people} "mail": column is too narrow: character varying(100) does not take every character varying(254) of email character varying(254)`,
      ],
    ],
    [WAREHOUSE, []],
  ]);
  await change('0003-mail.sql', 'ALTER TABLE public.people ALTER mail TYPE varchar(254);');
  expect(await differences()).toEqual([
    [PORTAL, []],
    [WAREHOUSE, []],
  ]);
  await change('0004-gone.sql', 'DROP TABLE public.people;');
  expect(await differences()).toEqual([
    [PORTAL, ['public.people: table is missing']],
    [WAREHOUSE, []],
  ]);
});
