import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition, TYPE_NOTES } from '@cdc-migrations/table-defs';
import { cdc } from '../cdc.fixture.ts';
import { adopusRepo, edit, emptyFolder, read, smallRepo } from '../repo.fixture.ts';
import type { NotedColumn, OtherName } from './list-noted-columns.ts';

const FIXTURES = join(__dirname, '../../../../fixtures');

function types(cwd: string, ...args: readonly string[]) {
  return cdc(['manage-migrations', 'types', ...args], { cwd });
}

it.each(['adopus', 'asma'])(
  'lists the columns with type notes in the definitions of %s',
  (name) => {
    const root = join(FIXTURES, name);
    const { code, stdout, stderr } = types(root, '--json');
    expect([code, stderr]).toEqual([0, '']);
    const listed = (JSON.parse(stdout) as { columns: NotedColumn[] }).columns;
    const folder = join(root, 'generated/table-definitions');
    const noted = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.yaml'))
      .map((path) => parseDefinition(read(folder, path), path))
      .flatMap((table) =>
        table.columns
          .filter(({ exactness, code: note }) => note || (exactness && exactness !== 'exact'))
          .map(({ name: column, code: note }) => [
            table.set,
            table.service,
            table.name,
            column,
            note,
          ]),
      );
    const found = listed.map(({ set, service, table, column, code: note, advice }) => {
      expect(advice).toBe(TYPE_NOTES[note].advice);
      return [set, service, table, column, note];
    });
    expect(found.map(String).sort()).toEqual(noted.map(String).sort());
    expect(noted.length).toBeGreaterThan(3);
  },
);

it('prints the columns as text, with advice for each note', () => {
  const { code, stdout } = types(join(FIXTURES, 'asma'), '--table', 'directory.users', 'roles');
  expect(stdout).toBe(`sink_portal.search directory.users from directory_dev.public.users
  person_no: public.pnr (character(11)) -> character(11), widened, domain-as-base
  status: public.user_status (enum) -> text, widened, enum-as-text
sink_warehouse.analytics directory.roles from directory_dev.public.roles
  permissions: bit varying(64) -> bit varying(64), lossy, bits-as-number
sink_warehouse.analytics directory.users from directory_dev.public.users
  person_no: public.pnr (character(11)) -> character(11), widened, domain-as-base
  status: public.user_status (enum) -> text, widened, enum-as-text

bits-as-number: Debezium sends the bits as a number, without the zeros before the first 1
  what to do: change the type of the source column to bit(n) or text
domain-as-base: the checks of the domain do not exist in the target
  what to do: nothing: every value fits
enum-as-text: the enum does not exist in the target
  what to do: nothing: every value fits

5 of 19 columns listed: 1 lossy, 4 widened
`);
  expect(code).toBe(0);
});

it('lists names that differ from those of the source', () => {
  const root = adopusRepo();
  edit(
    root,
    'sink-groups.yaml',
    '  type: postgres',
    '  type: postgres\n  pipeline: { column_names: ascii }',
  );
  const { stdout } = types(root, '--table', 'Ytelse', 'TiltakTilbydt');
  const long = 'BegrunnelseForAvslagPaaTilbudOmTiltakEtterVurderingFraNavKontoretsSaksbehandler';
  const short = 'BegrunnelseForAvslagPaaTilbudOmTiltakEtterVurderingFra';
  expect(stdout.split('\n').slice(0, 5)).toEqual([
    'names that differ from those of the source, which writers have to use:',
    `  sink_asma.directory adopus.TiltakTilbydt: ${long}1 is ${short}_2619c892`,
    `  sink_asma.directory adopus.TiltakTilbydt: ${long}2 is ${short}_f2dd12d9`,
    '  sink_asma.directory adopus.Ytelse: Rå tekst is Ra tekst',
    '',
  ]);
  const { names } = JSON.parse(types(root, '--table', 'Ytelse', '--json').stdout) as {
    readonly names: readonly OtherName[];
  };
  expect(names).toMatchObject([{ table: 'Ytelse', name: 'Ra tekst', source: 'Rå tekst' }]);
});

it('prints only the number of columns if all are exact', () => {
  const { code, stdout } = types(join(FIXTURES, 'asma'), '--service', 'proxy', '--table', 'routes');
  expect([code, stdout]).toEqual([0, '0 of 9 columns listed\n']);
});

it.each([
  ['--table', 'Aktor', '--table: unknown table "Aktor"; did you mean "Actor"?'],
  ['--service', 'adopsu', '--service: unknown service "adopsu"; the services are: adopus'],
])('reports an unknown name in %s', (option, name, message) => {
  const { code, stdout, stderr } = types(join(FIXTURES, 'adopus'), option, name);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});

it('reports a mistake in the configuration with file and line, and fails without a repo', () => {
  const root = smallRepo();
  edit(root, 'services/adopus.yaml', 'tables:', 'tabels:');
  const { code, stderr } = types(root);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^services\/adopus\.yaml:\d+ .*tabels/m);
  expect(types(emptyFolder()).code).toBe(2);
});
