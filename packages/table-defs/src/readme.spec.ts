import { join } from 'node:path';
import * as catalog from '@cdc-migrations/catalog';
import * as config from '@cdc-migrations/config';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as tableDefs from './index.ts';

it('the example of the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), {
    '@cdc-migrations/catalog': catalog,
    '@cdc-migrations/config': config,
    '@cdc-migrations/table-defs': tableDefs,
  });
  expect(run.printed).toBe(run.promised);
});
