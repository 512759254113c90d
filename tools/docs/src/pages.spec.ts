import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(__dirname, '../../..');
const MAX_LINES = 300;

/** Pages for users and developers: those of the root and of docs/, and READMEs. */
const PAGES = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((path) => existsSync(join(ROOT, path)) && !/\/(cases|fixtures)\/|\/api\.md$/.test(path));

/** Pages of the documentation, in the form that users read. */
const SHORT = PAGES.filter((page) => /^(docs\/|README)/.test(page));

/** The spec that runs the shell commands of a page. */
const RUN_BY: Readonly<Record<string, string>> = {
  'docs/a-night.md': 'packages/cli/src/apply/night.spec.ts',
  'docs/change-tables.md': 'packages/cli/src/apply/views-in-the-way.spec.ts',
  'docs/existing-tables.md': 'packages/cli/src/apply/existing-tables.spec.ts',
  'docs/indexes.md': 'packages/cli/src/apply/indexes.spec.ts',
  'docs/lint.md': 'packages/cli/src/lint/lint.spec.ts',
  'docs/on-call.md': 'packages/cli/src/metrics/metrics.spec.ts',
  'docs/operations.md': 'packages/cli/src/metrics/metrics.spec.ts',
  'docs/backfill.md': 'packages/cli/src/apply/backfill.spec.ts',
  'docs/partitions.md': 'packages/cli/src/apply/partitions.spec.ts',
  'docs/reload.md': 'packages/cli/src/reload/reload.spec.ts',
  'docs/report.md': 'packages/cli/src/report/report.spec.ts',
  'docs/retire-and-rename.md': 'packages/cli/src/retire/retire.spec.ts',
  'docs/roll-out.md': 'packages/cli/src/apply/waves.spec.ts',
  'docs/sources.md': 'packages/cli/src/source/rotate-cdc.spec.ts',
  'docs/start.md': 'packages/cli/src/init/start.spec.ts',
  'docs/verify.md': 'packages/cli/src/verify/verify.spec.ts',
};

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const withoutCode = (text: string) => text.replaceAll(/^ *```[^]*?^ *```$/gm, '');

/** Returns the anchors that GitHub creates for the headings of a page. */
function anchorsOf(path: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, title] of withoutCode(read(path)).matchAll(/^#{1,6} (.*)$/gm)) {
    const text = title!
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    for (let anchor = slug, count = 1; ; anchor = `${slug}-${count++}`) {
      if (anchors.has(anchor)) continue;
      anchors.add(anchor);
      break;
    }
  }
  return anchors;
}

/** Lists broken links of a page to other pages and files. */
function faultyLinks(page: string): readonly string[] {
  const text = withoutCode(read(page)).replaceAll(/(?<!`)`[^`\n]+`(?!`)/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : normalize(join(dirname(page), decodeURI(path)));
    if (!existsSync(join(ROOT, file))) return true;
    if (anchor === undefined) return false;
    return statSync(join(ROOT, file)).isDirectory() || !anchorsOf(file).has(anchor);
  });
}

/** Lists shell blocks of a page that no spec runs and that have no reason. */
function unexplainedBlocks(page: string): readonly string[] {
  if (RUN_BY[page]) return [];
  const blocks = read(page).matchAll(
    /^( *<!-- example: .+ -->\n\n)? *```(?:sh|console|bash)\n([^]*?)^ *```$/gm,
  );
  return [...blocks].filter(([, reason]) => !reason).map(([, , commands]) => commands!);
}

it.each(SHORT)(`%s has at most ${MAX_LINES} lines`, (page) => {
  expect(read(page).split('\n').length - 1).toBeLessThanOrEqual(MAX_LINES);
});

it.each(PAGES)('%s links only to existing pages and headings', (page) => {
  expect(faultyLinks(page)).toEqual([]);
});

it.each(SHORT)(
  'each shell block of %s is run by a spec, or has a reason why it is an example',
  (page) => expect(unexplainedBlocks(page)).toEqual([]),
);

it.each(PAGES)('%s does not run cdc with npx if it is not installed', (page) => {
  expect(read(page)).not.toMatch(/\bnpx (?:-y |--yes )?cdc\b/);
});

it.each(Object.entries(RUN_BY))('%s is read by %s', (page, spec) => {
  expect(read(spec)).toContain(page);
});
