import { EXIT } from '../../../packages/cli/src/exit-code.ts';
import { renderExitCodes } from './render-exit-codes.ts';

it('the table has a row for each exit code', () => {
  const rows = [...renderExitCodes().matchAll(/^\| (\d)/gm)].map(([, code]) => Number(code));
  expect(rows).toEqual(Object.values(EXIT));
});
