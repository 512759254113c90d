import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from './parse-config.ts';

const README = readFileSync(join(__dirname, '..', 'README.md'), 'utf8');

it('says what is wrong with its example', () => {
  const files = new Map(
    [...README.matchAll(/```yaml\n(# (\S+)\n[^]*?)```/g)].map(([, text, file]) => [file!, text!]),
  );
  const [, expected] = /```text\n([^]*?)\n```/.exec(README) ?? [];
  expect(files.size).toBe(4);
  expect(() => parseConfig(files)).toThrow(new Error(expected));
});
