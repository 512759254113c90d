import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

it('the README describes every other spec', () => {
  const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| `(.+\.spec\.ts)` +\| \S/gm)].map(([, name]) => name!);
  const specs = readdirSync(__dirname).filter((name) => name.endsWith('.spec.ts'));
  expect([...rows, 'readme.spec.ts'].sort()).toEqual(specs.sort());
});
