import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'GLOSSARY.md', 'BENCHMARKS.md'],
  ...['SECURITY.md', 'docs/security-review.md'],
];
/** Text in backticks, but no fenced blocks. */
const CODE = /(?<!`)`([^`\n]+)`(?!`)/g;
const PATH = /^(?:packages|tools|fixtures|examples|\.ci)\/[\w./-]+$/;
const FILE = /^[\w-]+(?:\.[\w-]+)*\.(?:ts|mjs|cjs|hbs)$/;

const files = new Set(
  execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .split('\n')
    .map((path) => basename(path)),
);
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

describe.each(DOCUMENTS)('%s', (document) => {
  const text = readFileSync(join(ROOT, document), 'utf8');
  const codes = [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(CODE)].map(
    ([, code]) => code!,
  );

  it('names only existing files and folders', () => {
    const paths = codes.filter((code) => PATH.test(code));
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const names = codes.filter((code) => FILE.test(code));
    expect(names.filter((name) => !files.has(name))).toEqual([]);
  });

  it('names only existing scripts', () => {
    const named = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });
});
