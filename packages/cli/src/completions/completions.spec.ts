import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeDebian } from '@cdc-migrations/postgres-fixture';
import { BIN, cdc } from '../cdc.fixture.ts';
import { emptyFolder, smallRepo } from '../repo.fixture.ts';
import { SHELLS } from './shell.ts';

const scriptOf = (shell: string) => cdc(['completions', shell], { cwd: __dirname }).stdout;

/** A folder for the PATH, which contains `cdc`. */
const bin = emptyFolder();
symlinkSync(BIN, join(bin, 'cdc'));
const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };

/** Returns the proposals of bash for a line whose last word is incomplete. */
function complete(line: readonly string[], cwd = __dirname): readonly string[] {
  const script = `${scriptOf('bash')}
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_cdc
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...line], {
    ...{ cwd, env },
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((word) => word !== '');
}

describe('completion in bash', () => {
  it.each([
    [['cdc', 'manage-p'], ['manage-pipelines']],
    [['cdc', 'app'], ['apply']],
    [['cdc', 'apply', '--on-'], ['--on-error']],
    [['cdc', 'dead-letters', 'sh'], ['show']],
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
    // The value of an option is not a command, even with the same text.
    [['cdc', 'manage-migrations', '--root', 'generate', 'gen'], ['generate']],
    [['cdc', 'manage-migrations', 'apply', '--env', 'check', '--on-'], ['--on-error']],
    [['cdc', 'manage-migrations', 'apply', '--ro'], ['--root']],
    [['cdc', 'manage-migrations', 'apply', '--env', ''], []],
    [['cdc', 'init', '--pattern', 'db-s'], ['db-shared']],
    [['cdc', 'unknown', 'compl'], ['completions']],
  ])('completes %j with %j', (line, words) => expect(complete(line)).toEqual(words));

  it('proposes folders for an argument or option that takes a folder', () => {
    const cwd = emptyFolder();
    for (const name of ['apps', 'other']) mkdirSync(join(cwd, name));
    expect(complete(['cdc', 'init', 'a'], cwd)).toEqual(['apps']);
    expect(complete(['cdc', 'manage-migrations', 'apply', '--root', ''], cwd).toSorted()).toEqual([
      'apps',
      'other',
    ]);
  });
});

describe('completion of configured names', () => {
  const repo = smallRepo();
  const groups = join(repo, 'sink-groups.yaml');
  writeFileSync(
    groups,
    `${readFileSync(groups, 'utf8')}  waves:\n    - { name: first, customers: [avansas] }\n    - { name: the rest }\n`,
  );
  const services = join(repo, 'services', 'adopus.yaml');
  const hostile = 'Odd $(touch hacked) `touch hacked` "x" \\';
  const entry = `${JSON.stringify(`adopus.${hostile}`)}: { from: dbo.Region }`;
  writeFileSync(services, `${readFileSync(services, 'utf8')}        ${entry}\n`);

  it.each([
    [
      ['apply', '--env', ''],
      ['nonprod', 'embedded'],
    ],
    [['apply', '--env', '=', 'no'], ['nonprod']],
    [['enable-cdc', '--env', 'e'], []],
    [['enable-cdc', '--env', 'n'], ['nonprod']],
    [['manage-migrations', 'enable-cdc', '--customer', 'av'], ['avansas']],
    [['apply', '--schema', 'ava'], ['avansas']],
    [['apply', '--sink', 'sink_asma.d'], ['sink_asma.directory']],
    [
      ['apply', '--wave', ''],
      ['first', 'the\\ rest'],
    ],
    [['apply', '--wave', '"the'], ['the rest']],
    [['generate', '--service', ''], ['adopus']],
    [['explain', 'Ac'], ['Actor']],
    [['merge', '--table', 'F'], ['Fraver']],
    [['init', '--service', ''], []],
  ])('completes cdc %j with %j', (line, names) =>
    expect(complete(['cdc', ...line], repo)).toEqual(names),
  );

  it('reads the configuration of --root', () => {
    const elsewhere = emptyFolder();
    expect(complete(['cdc', 'explain', 'Ac'], elsewhere)).toEqual([]);
    expect(complete(['cdc', '--root', repo, 'explain', 'Ac'], elsewhere)).toEqual(['Actor']);
    expect(
      complete(['cdc', 'apply', '--root', '=', repo, '--sink', 'sink_asma.d'], elsewhere),
    ).toEqual(['sink_asma.directory']);
  });

  it('never executes names as commands of bash', () => {
    expect(complete(['cdc', 'explain', '"Odd'], repo)).toEqual([hostile]);
    expect(complete(['cdc', 'explain', 'Odd'], repo)).toHaveLength(1);
    expect(existsSync(join(repo, 'hacked'))).toBe(false);
  });

  it('proposes nothing if the configuration is invalid', () => {
    const broken = smallRepo();
    writeFileSync(join(broken, 'sink-groups.yaml'), 'sink_asma: [');
    expect(complete(['cdc', 'apply', '--env', ''], broken)).toEqual([]);
  });

  describeDebian(
    'in real shells',
    () => {
      const inShell = (program: string, args: readonly string[]) => {
        const run = spawnSync(program, args, { cwd: repo, env, encoding: 'utf8', timeout: 60_000 });
        expect(run.stderr).toBe('');
        return run.stdout.split('\n').filter((line) => line !== '');
      };
      /** Returns the line of an interactive shell after keys were typed. */
      const typed = (shell: string, setUp: string, keys: string) =>
        inShell('zsh', [
          '-f',
          '-c',
          `zmodload zsh/zpty
zpty shell ${shell}
zpty -w shell ${JSON.stringify(setUp).replaceAll('$', '\\$')}
zpty -r shell out '*READY-2*'
zpty -w -n shell $'${keys}\\x18'
zpty -r shell out '*<<*>>*'
print -r -- "\${\${out##*<<}%%>>*}"
zpty -d shell`,
        ]);
      const inZsh = `PS1=; autoload -Uz compinit; compinit -u -D; source <(cdc completions zsh); show() { print -r -- "<<$BUFFER>>" }; zle -N show; bindkey '^X' show; print READY-$((1+1))`;
      const inBash = `PS1=; source <(cdc completions bash); bind -x '"\\C-x": echo "<<$READLINE_LINE>>"'; echo READY-$((1+1))`;

      it.each([
        ['cdc apply --env no\\t', 'cdc apply --env nonprod '],
        ['cdc apply --wave the\\t', 'cdc apply --wave the\\ rest '],
        ['cdc expl\\tAc\\t', 'cdc explain Actor '],
      ])('completes %s in zsh and bash', (keys, line) => {
        expect(typed('zsh -f -i', inZsh, keys)).toEqual([line]);
        expect(typed('bash --norc --noprofile -i', inBash, keys)).toEqual([line]);
      });

      it('completes names in fish', () => {
        const proposed = (line: string) =>
          inShell('fish', [
            '--no-config',
            '-c',
            'cdc completions fish | source; complete -C $argv[1]',
            line,
          ]).map((text) => text.split('\t')[0]);
        expect(proposed('cdc apply --env no')).toEqual(['nonprod']);
        expect(proposed('cdc apply --wave the')).toEqual(['the rest']);
        expect(proposed('cdc app')).toEqual(['apply']);
        expect(proposed('cdc explain Ac')).toEqual(['Actor']);
      });
    },
    ['zsh', 'fish'],
  );
});

it.each(SHELLS)('the script for %s contains every option of generate', (shell) => {
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
