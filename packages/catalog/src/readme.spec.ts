import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as catalog from './index.ts';

it('the example in the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), { '@cdc-migrations/catalog': catalog });
  expect(run.printed).toBe(run.promised);
});
