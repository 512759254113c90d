import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as catalog from './index.ts';

it('the example of the README prints what it says', async () => {
  const run = await runReadme(join(__dirname, '..'), { '@cdc-migrations/catalog': catalog });
  expect(run.printed).toBe(run.promised);
});
