import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as sqlText from './index.ts';

it('the example of the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), { '@cdc-migrations/sql-text': sqlText });
  expect(run.printed).toBe(run.promised);
});
