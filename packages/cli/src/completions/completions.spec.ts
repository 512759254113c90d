import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cdc } from '../cdc.fixture.ts';
import { emptyFolder } from '../repo.fixture.ts';
import { SHELLS } from './shell.ts';

const scriptOf = (shell: string) => cdc(['completions', shell], { cwd: __dirname }).stdout;

/** What bash proposes for a line, of which the last word is being written. */
function complete(line: readonly string[], cwd = __dirname): readonly string[] {
  const script = `${scriptOf('bash')}
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_cdc
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...line], {
    cwd,
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('in bash', () => {
  it.each([
    [
      ['cdc', ''],
      ['manage-migrations', 'manage-pipelines', 'init', 'completions', 'help'],
    ],
    [
      ['cdc', '-'],
      ['--version', '--help'],
    ],
    [['cdc', 'completions', ''], [...SHELLS]],
    [
      ['cdc', 'manage-migrations', 's'],
      ['schema-docs', 'status'],
    ],
    [['cdc', 'manage-migrations', 'help', 'cl'], ['clean-cdc']],
    [['cdc', 'manage-migrations', 'generate', '--dr'], ['--dry-run']],
    [
      ['cdc', 'manage-migrations', 'generate', '--only', 's'],
      ['schemas', 'staging'],
    ],
    [['cdc', 'manage-migrations', 'generate', '--only', '=', 'st'], ['staging']],
    [['cdc', 'manage-migrations', 'generate', '--only', '='], expect.arrayContaining(['tables'])],
    // The value of an option is no command, whatever it says.
    [['cdc', 'manage-migrations', '--root', 'generate', 'gen'], ['generate']],
    [['cdc', 'manage-migrations', 'apply', '--env', 'check', '--on-'], ['--on-error']],
    [['cdc', 'manage-migrations', 'apply', '--ro'], ['--root']],
    [['cdc', 'manage-migrations', 'apply', '--env', ''], []],
    [['cdc', 'init', '--pattern', 'db-s'], ['db-shared']],
    [
      ['cdc', 'unknown', ''],
      ['manage-migrations', 'manage-pipelines', 'init', 'completions', 'help'],
    ],
  ])('%j gives %j', (line, words) => expect(complete(line)).toEqual(words));

  it('proposes folders where one is to be named', () => {
    const cwd = emptyFolder();
    for (const name of ['apps', 'other']) mkdirSync(join(cwd, name));
    expect(complete(['cdc', 'init', 'a'], cwd)).toEqual(['apps']);
    expect(complete(['cdc', 'manage-migrations', 'apply', '--root', ''], cwd).toSorted()).toEqual([
      'apps',
      'other',
    ]);
  });
});

it.each(SHELLS)('the script for %s names every command and option of the help', (shell) => {
  const help = cdc(['manage-migrations', 'generate', '--help'], { cwd: __dirname }).stdout;
  const script = scriptOf(shell);
  const options = help
    .match(/^ {2}(?:-\w, )?--[a-z-]+/gm)!
    .map((text) => /[a-z-]+$/.exec(text)![0]);
  expect(options.length).toBeGreaterThan(8);
  for (const option of options) expect(script).toContain(option.replace(/^--/, ''));
});

it('refuses other shells', () => {
  expect(cdc(['completions', 'tcsh'], { cwd: __dirname })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Allowed choices are bash, fish, zsh'),
  });
});
