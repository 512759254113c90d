import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cdc, generate } from '../cdc.fixture.ts';
import { emptyFolder, smallRepo, write } from '../repo.fixture.ts';

const DEFINITION = 'generated/table-definitions/Actor.yaml';
const MISSING = '0123456789012345678901234567890123456789';

let outside: string;
let checkout: string;
/** The implementation repo, a folder of the checkout. */
let root: string;
let mark: string;
beforeEach(() => {
  outside = emptyFolder();
  checkout = join(outside, 'checkout');
  root = join(checkout, 'impl');
  mark = join(outside, 'mark');
  write(checkout, 'README.md', 'x\n');
  const done = smallRepo();
  expect(generate(done).code).toBe(0);
  renameSync(done, root);
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'before');
});

function git(...args: readonly string[]): string {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  return execFileSync('git', [...who, ...args], { cwd: checkout, encoding: 'utf8' });
}

const diff = (base: string) => cdc(['manage-migrations', 'diff', '--base', base], { cwd: root });

/** Configures git to fetch missing objects with a program that creates the file `mark`. */
const configOf = (url: string, isBare: boolean) => `[core]
\trepositoryformatversion = 1
\tbare = ${isBare}
\tfsmonitor = "touch ${mark}"
\tsshCommand = "touch ${mark}"
\thooksPath = hooks
[extensions]
\tpartialClone = origin
[remote "origin"]
\tpromisor = true
\turl = ${url}
\tuploadpack = "touch ${mark};"
[protocol]
\tallow = always
[alias]
\trev-parse = "!touch ${mark}"
\tcat-file = "!touch ${mark}"
`;

/** Writes files that a pull request can contain. Git refuses only `.git` itself. */
function writeBare(url: string): void {
  write(root, 'HEAD', 'ref: refs/heads/main\n');
  write(root, 'refs/heads/main', `${MISSING}\n`);
  write(root, 'objects/info/x', '');
  write(root, 'hooks/reference-transaction', `#!/bin/sh\ntouch ${mark}\n`);
  write(root, 'config', configOf(url, true));
}

const URLS = [
  ['ext::', () => `ext::touch ${mark}`],
  ['a path', () => outside],
  ['ssh', () => 'ssh://127.0.0.1/x'],
] as const;

describe.each(URLS)('runs no program from the git config, remote URL %s', (_, urlOf) => {
  it('in a bare repository in the folder', () => {
    writeBare(urlOf());
    expect(diff('HEAD')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^--base HEAD: fatal: cannot use bare repository '.*' \(safe\.bareRepository is 'explicit'\)\n$/,
      ),
    });
    expect(existsSync(mark)).toBe(false);
  });

  it('in the .git folder of an archive', () => {
    write(checkout, '.git/config', configOf(urlOf(), false));
    write(checkout, '.git/refs/heads/main', `${MISSING}\n`);
    expect(diff('main').code).toBe(2);
    expect(existsSync(mark)).toBe(false);
  });
});

it('refuses a base from a bare repository that the checkout contains', () => {
  git('clone', '-q', '--bare', '.', join(outside, 'bare'));
  for (const name of ['HEAD', 'config', 'objects', 'refs', 'packed-refs']) {
    const from = join(outside, 'bare', name);
    if (existsSync(from)) renameSync(from, join(root, name));
  }
  const { code, stderr } = diff('HEAD');
  expect([code, stderr]).toEqual([2, expect.stringContaining('cannot use bare repository')]);
});

it('reports a file that a partial clone has not fetched', () => {
  const id = git('rev-parse', `HEAD:impl/${DEFINITION}`).trim();
  const path = join(checkout, '.git/objects', id.slice(0, 2), id.slice(2));
  expect(readFileSync(path).length).toBeGreaterThan(0);
  renameSync(path, join(outside, 'object'));
  expect(diff('HEAD')).toMatchObject({
    code: 2,
    stderr: `--base HEAD: expected all files of the commit in this clone, but HEAD:${DEFINITION} is missing; git fetch --refetch --no-filter\n`,
  });
});
