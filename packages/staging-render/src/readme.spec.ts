import { join } from 'node:path';
import * as tableDefs from '@cdc-migrations/table-defs';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as stagingRender from './index.ts';

it('the example of the README prints what it says', () => {
  const run = runReadme(join(__dirname, '..'), {
    '@cdc-migrations/table-defs': tableDefs,
    '@cdc-migrations/staging-render': stagingRender,
  });
  expect(run.printed).toBe(run.promised);
});
