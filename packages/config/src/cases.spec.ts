import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from './parse-config.ts';
import { readConfig } from './read-config.ts';

const CASES = join(__dirname, '..', 'cases');

/** Every folder of `cases` is an implementation repo with the text of the expected error. */
test.each(readdirSync(CASES))('reports the expected problems of the case %s', (name) => {
  const root = join(CASES, name);
  const expected = readFileSync(join(root, 'expected.txt'), 'utf8');
  expect(`${errorOf(root)}\n`).toBe(expected);
});

function errorOf(root: string): string {
  try {
    readConfig(root);
    return 'no problems';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
