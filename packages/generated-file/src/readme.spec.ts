import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as generatedFile from './index.ts';

it('the example of the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), {
    '@cdc-migrations/generated-file': generatedFile,
  });
  expect(run.printed).toBe(run.promised);
});
