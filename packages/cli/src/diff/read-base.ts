import { spawnSync } from 'node:child_process';
import {
  DEFINITIONS_FOLDER,
  parseDefinition,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';

/**
 * Definitions of the repo as they are in a commit of git, in order of file; none where it has none.
 *
 * @throws FileError; CommandError where git, its repository or the commit is not there.
 */
export function readBase(root: string, commit: string): readonly TableDefinition[] {
  const id = git(root, ['rev-parse', '--verify', '--end-of-options', `${commit}^{commit}`], commit);
  const listed = git(
    root,
    ['ls-tree', '-r', '-z', id.toString().trim(), DEFINITIONS_FOLDER],
    commit,
  );
  const blobs = [...listed.toString().matchAll(/ blob ([0-9a-f]+)\t([^\0]*\.yaml)\0/g)];
  if (blobs.length === 0) return [];
  const input = blobs.map(([, blob]) => `${blob}\n`).join('');
  return splitBatch(git(root, ['cat-file', '--batch'], commit, input)).map((text, index) => {
    const path = `${commit}:${blobs[index]![2]}`;
    if (text !== undefined) return parseDefinition(text, path);
    throw new CommandError(
      `--base ${commit}: expected all files of the commit in this clone, ${path} is not; git fetch --refetch --no-filter`,
    );
  });
}

/**
 * A pull request can hold the files of a bare repository, and an archive a whole `.git`. Its configuration can name
 * programs for git to fetch missing objects with.
 */
const NOTHING_OF_THE_REPO_RUNS = {
  args: ['-c', 'safe.bareRepository=explicit'],
  // The second is for versions of git that do not know the first.
  env: { GIT_NO_LAZY_FETCH: '1', GIT_ALLOW_PROTOCOL: '' },
};

function git(root: string, args: readonly string[], commit: string, input = ''): Buffer {
  const all = [...NOTHING_OF_THE_REPO_RUNS.args, ...args];
  const { status, stdout, stderr, error } = spawnSync('git', all, {
    cwd: root,
    input,
    env: { ...process.env, ...NOTHING_OF_THE_REPO_RUNS.env, LC_ALL: 'C' },
    maxBuffer: Infinity,
  });
  if (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'git is not there' : error.message;
    throw new CommandError(`--base ${commit}: ${reason}`, undefined, { cause: error });
  }
  if (status === 0) return stdout;
  const lines = stderr.toString().trim().split('\n');
  const reason = lines.find((line) => line.startsWith('fatal: ')) ?? lines[0];
  throw new CommandError(`--base ${commit}: ${reason}`);
}

/**
 * Contents of the objects that `git cat-file --batch` prints: a line with the size in bytes, the object, LF; undefined
 * for one that is not in the clone, of which it prints one line.
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
