// Checks that nx release can use the first line of each commit since the last release.
import { execFileSync } from 'node:child_process';

/** Earlier commits are not checked. */
const SINCE =
  'docs: comments of the merge, the benches and their specs say what they do, in plain words';
const TYPES = 'feat|fix|perf|refactor|docs|test|build|ci|style|chore|revert|types|examples';
const LINE = new RegExp(`^(${TYPES})(\\([a-z0-9-]+(, ?[a-z0-9-]+)*\\))?!?: \\S.{4,}$`);

const commits = git('log', '--no-merges', '--format=%h %s', ...range())
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ hash: line.split(' ', 1)[0], subject: line.replace(/^\S+ /, '') }));
const first = commits.findIndex(({ subject }) => subject === SINCE);
const checked = first === -1 ? commits : commits.slice(0, first);
const wrong = checked.filter(({ subject }) => !LINE.test(subject));
for (const { hash, subject } of wrong) {
  console.error(`${hash}: expected "type(scope): description", found "${subject}"`);
}
console.log(
  `${checked.length} commits, ${wrong.length} problems; types: ${TYPES.replaceAll('|', ', ')}`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Returns the range from the newest release tag, or everything if there is none. */
function range() {
  const [tag] = git('tag', '--merged', 'HEAD', '--list', 'v*', '--sort=-v:refname').split('\n');
  return tag === '' ? [] : [`${tag}..HEAD`];
}

function git(...args) {
  return execFileSync('git', args, { encoding: 'utf8' });
}
