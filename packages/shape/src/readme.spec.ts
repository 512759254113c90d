import { join } from 'node:path';
import * as valibot from 'valibot';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as shape from './index.ts';

it('the example of the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), {
    '@cdc-migrations/shape': shape,
    valibot,
  });
  expect(run.printed).toBe(run.promised);
});
