import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdc } from './cdc.fixture.ts';
import { adopusRepo, CASES } from './repo.fixture.ts';

const README = readFileSync(join(__dirname, '../README.md'), 'utf8');

it('the example of the README prints what it says', () => {
  const [, example] = /^```console\n([^]*?)^```$/m.exec(README)!;
  const cwd = adopusRepo();
  const printed = [...example!.matchAll(/^\$ cdc (.*)\n/gm)].map(
    ([line, args]) => line + cdc(args!.split(' '), { cwd }).stdout,
  );
  expect(printed.length).toBe(3);
  expect(printed.join('')).toBe(example);
});

it('the mistake in the README is that of a case', () => {
  const [, mistake] = /^```text\n([^]*?)^```$/m.exec(README)!;
  const expected = join(CASES, 'an-unknown-key-is-named/expected.txt');
  expect(mistake).toBe(readFileSync(expected, 'utf8'));
});

it.each([[['manage-migrations', 'generate']], [['init']]])(
  'every option of %j is in the README',
  (command) => {
    const { stdout } = cdc([...command, '--help'], { cwd: __dirname });
    const options = stdout.match(/--[a-z-]+/g)!.filter((option) => option !== '--help');
    for (const option of options) expect(README).toContain(option);
  },
);
