import { read, smallRepo, treeOf, write } from '../repo.fixture.ts';
import { cdc, generate } from '../cdc.fixture.ts';

const MANUAL = 'migrations/manual/0001-note.sql';

function turnIntoCrlf(root: string): void {
  for (const path of treeOf(root).keys()) {
    if (/\.(sql|yaml)$/.test(path)) write(root, path, read(root, path).replaceAll('\n', '\r\n'));
  }
}

it('accepts a checkout with CRLF as up to date, including hand-written files', () => {
  const root = smallRepo();
  write(root, MANUAL, 'CREATE TABLE public.note (\n  a integer\n);\n');
  expect(generate(root).code).toBe(0);
  turnIntoCrlf(root);
  expect(generate(root, ['--check'])).toMatchObject({ code: 0 });
  const offline = ['manage-migrations', 'status', '--env', 'nonprod', '--offline', '--json'];
  const status = cdc(offline, { cwd: root });
  expect(JSON.parse(status.stdout).targets[0]).toMatchObject({ problems: [] });
  expect(status.code).toBe(0);
});
