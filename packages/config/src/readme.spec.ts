import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runReadme } from '../../../tools/fixtures/src/run-readme.ts';
import * as config from './index.ts';
import { parseConfig } from './parse-config.ts';

const README = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');

it('the example of the README prints the output that the README shows', async () => {
  const run = await runReadme(join(__dirname, '..'), { '@cdc-migrations/config': config });
  expect(run.printed).toBe(run.promised);
});

it('parseConfig reports the problems that the README shows', () => {
  const files = new Map(
    [...README.matchAll(/```yaml\n(# (\S+)\n[^]*?)```/g)].map(([, text, file]) => [file!, text!]),
  );
  const [, expected] = /^`readConfig` reports all[^]*?```text\n([^]*?)\n```/m.exec(README) ?? [];
  expect(files.size).toBe(4);
  expect(() => parseConfig(files)).toThrow(new Error(expected));
});
