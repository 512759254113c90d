import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cdc } from './cdc.fixture.ts';
import { adopusRepo, CASES } from './repo.fixture.ts';

const README = readFileSync(join(__dirname, '../README.md'), 'utf8');

it('the commands in the README print the output shown', () => {
  const [, example] = /^```console\n([^]*?)^```$/m.exec(README)!;
  const cwd = adopusRepo();
  const printed = [...example!.matchAll(/^\$ cdc (.*)\n/gm)].map(
    ([line, args]) => line + cdc(args!.split(' '), { cwd }).stdout,
  );
  expect(printed.length).toBe(3);
  expect(printed.join('')).toBe(example);
});

it.each(['../README.md', '../../../docs/daily-work.md'])(
  'the error in %s matches the expected output of a case',
  (page) => {
    const text = readFileSync(join(__dirname, page), 'utf8');
    const [, mistake] = /^```text\n([^]*?)^```$/m.exec(text)!;
    const expected = join(CASES, 'an-unknown-key-is-named/expected.txt');
    expect(mistake).toBe(readFileSync(expected, 'utf8'));
  },
);

const help = (command: readonly string[]) => cdc([...command, '--help'], { cwd: __dirname }).stdout;

/** Lists the words of each command in a help text. */
function listCommands(command: readonly string[]): readonly (readonly string[])[] {
  const [, commands = ''] = help(command).split('Commands:\n');
  const names = [...commands.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name!);
  return names.filter((name) => name !== 'help').map((name) => [...command, name]);
}

const GROUPS = ['manage-migrations', 'manage-pipelines'];
const NESTED = ['dead-letters', 'monitoring', 'reload'].map((name) => `manage-migrations ${name}`);

const COMMANDS = [[], ...[...GROUPS, ...NESTED].map((group) => group.split(' '))]
  .flatMap(listCommands)
  .map((command) => command.join(' '));

it.each(COMMANDS)('every option of %s is in the README', (command) => {
  const options = new Set(help(command.split(' ')).match(/--[a-z][a-z-]*/g));
  expect([...options].filter((option) => !README.includes(option))).toEqual([]);
});

it('every command of manage-migrations has a section', () => {
  const headings = README.match(/^## .*$/gm)!.join('\n');
  const missing = listCommands(['manage-migrations']).filter(
    ([, name]) => !headings.includes(`\`${name}\``),
  );
  expect(missing).toEqual([]);
});

it('every command of manage-pipelines has a section', () => {
  const commands = listCommands(['manage-pipelines']).map((command) => command.join(' '));
  expect(commands.filter((command) => !README.includes(`## \`${command}\``))).toEqual([]);
});
