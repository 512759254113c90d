import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as tracker from './index.ts';

it('the example of the README prints what it says', () => {
  const run = runReadme(join(__dirname, '..'), { '@cdc-migrations/tracker': tracker });
  expect(run.printed).toBe(run.promised);
});
