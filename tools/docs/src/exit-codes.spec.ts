import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../../../packages/cli/src/exit-code.ts';

it('FORMATS.md has a row for each exit code', () => {
  const formats = readFileSync(join(__dirname, '../../../FORMATS.md'), 'utf8');
  const [, section = ''] = formats.split('### Exit codes');
  const [table = ''] = section.split('###');
  const rows = [...table.matchAll(/^\| (\d)/gm)].map(([, exitCode]) => Number(exitCode));
  expect(rows).toEqual(Object.values(EXIT));
});
