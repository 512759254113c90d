import { spawnSync } from 'node:child_process';
import {
  DEFINITIONS_FOLDER,
  parseDefinition,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';

/**
 * Reads the definitions of the repo in a git commit, in order of file. Returns none if the commit has none.
 *
 * @param option that gives the commit, for errors
 * @throws FileError, or CommandError if git, the repository or the commit is missing
 */
export function readBase(
  root: string,
  commit: string,
  option = '--base',
): readonly TableDefinition[] {
  const given = `${option} ${commit}`;
  const id = git(root, ['rev-parse', '--verify', '--end-of-options', `${commit}^{commit}`], given);
  const listed = git(
    root,
    ['ls-tree', '-r', '-z', id.toString().trim(), DEFINITIONS_FOLDER],
    given,
  );
  const blobs = [...listed.toString().matchAll(/ blob ([0-9a-f]+)\t([^\0]*\.yaml)\0/g)];
  if (blobs.length === 0) return [];
  const input = blobs.map(([, blob]) => `${blob}\n`).join('');
  return splitBatch(git(root, ['cat-file', '--batch'], given, input)).map((text, index) => {
    const path = `${commit}:${blobs[index]![2]}`;
    if (text !== undefined) return parseDefinition(text, path);
    throw new CommandError(
      `${given}: expected all files of the commit in this clone, but ${path} is missing; git fetch --refetch --no-filter`,
    );
  });
}

/**
 * Blocks programs that the configuration of a repository can name for fetching missing objects. A pull request can
 * contain the files of a bare repository, and an archive a whole `.git`.
 */
const NOTHING_OF_THE_REPO_RUNS = {
  args: ['-c', 'safe.bareRepository=explicit'],
  // The second variable is for versions of git without the first.
  env: { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: '' },
};

/** @param given option with the commit, for errors. */
function git(root: string, args: readonly string[], given: string, input = ''): Buffer {
  const all = [...NOTHING_OF_THE_REPO_RUNS.args, ...args];
  const { status, stdout, stderr, error } = spawnSync('git', all, {
    cwd: root,
    input,
    env: { ...process.env, ...NOTHING_OF_THE_REPO_RUNS.env, LC_ALL: 'C' },
    maxBuffer: Infinity,
  });
  if (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'git is not installed' : error.message;
    throw new CommandError(`${given}: ${reason}`, undefined, { cause: error });
  }
  if (status === 0) return stdout;
  const lines = stderr.toString().trim().split('\n');
  const reason = lines.find((line) => line.startsWith('fatal: ')) ?? lines[0];
  throw new CommandError(`${given}: ${reason}`);
}

/**
 * Splits the output of `git cat-file --batch` into contents: a line with the size in bytes, the object, LF. An object
 * that is missing in the clone has one line and is undefined.
 */
function splitBatch(output: Buffer): readonly (string | undefined)[] {
  const texts: (string | undefined)[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf('\n', at);
    const head = output.toString('latin1', at, end);
    if (head.endsWith(' missing')) {
      texts.push(undefined);
      at = end + 1;
      continue;
    }
    const size = Number(head.split(' ')[2]);
    texts.push(output.toString('utf8', end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return texts;
}
