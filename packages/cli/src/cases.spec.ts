import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from './cdc.fixture.ts';
import { CASES, changesSince, overlay, smallRepo, treeOf } from './repo.fixture.ts';

const SENTENCES = readdirSync(CASES).filter((name) => !name.startsWith('_'));

/** A case is the difference from the repo in `_base`, and the expected error. */
test.each(SENTENCES)('%s', (sentence) => {
  const root = smallRepo();
  overlay(root, join(CASES, sentence));
  const before = treeOf(root);

  const run = generate(root);

  expect(run.stderr).toBe(readFileSync(join(CASES, sentence, 'expected.txt'), 'utf8'));
  expect(run).toMatchObject({ code: 2, stdout: '' });
  expect(changesSince(before, root)).toEqual([]);
});
