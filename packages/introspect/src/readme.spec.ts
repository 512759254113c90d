import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as introspect from './index.ts';

it('the example in the README prints the output shown', async () => {
  const run = await runReadme(join(__dirname, '..'), { '@cdc-migrations/introspect': introspect });
  expect(run.printed).toBe(run.promised);
});
