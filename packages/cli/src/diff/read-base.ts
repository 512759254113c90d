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
  return splitBatch(git(root, ['cat-file', '--batch'], commit, input)).map((text, index) =>
    parseDefinition(text, `${commit}:${blobs[index]![2]}`),
  );
}

function git(root: string, args: readonly string[], commit: string, input = ''): Buffer {
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    cwd: root,
    input,
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: Infinity,
  });
  if (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'git is not there' : error.message;
    throw new CommandError(`--base ${commit}: ${reason}`, undefined, { cause: error });
  }
  if (status === 0) return stdout;
  throw new CommandError(`--base ${commit}: ${stderr.toString().trim().split('\n')[0]}`);
}

/** Contents of the objects that `git cat-file --batch` prints: a line with the size in bytes, the object, LF. */
function splitBatch(output: Buffer): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < output.length;) {
    const end = output.indexOf('\n', at);
    const size = Number(output.toString('latin1', at, end).split(' ')[2]);
    texts.push(output.toString('utf8', end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return texts;
}
