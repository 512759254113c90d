import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as session from './index.ts';

it('the example of the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), { '@cdc-migrations/session': session });
  expect(run.printed).toBe(run.promised);
});
