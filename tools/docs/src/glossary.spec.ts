import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const TEXT = /\.(ts|cjs|mjs|hbs|md)$/;
const IGNORED = /\/(node_modules|dist|cases|tmp)$/;
const GENERIC_NAMES = /^(utils?|helpers?|common|core|managers?|handlers?)(\.|$)/;

/** Reads the quoted words in the last table of the glossary. */
function readAvoidedWords(): readonly string[] {
  const [, table = ''] = readFileSync(join(ROOT, 'GLOSSARY.md'), 'utf8').split(
    '## Words that we do not use',
  );
  return [...table.matchAll(/"([^"]+)"/g)].map(([, word]) => word!);
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (IGNORED.test(path)) return [];
    return statSync(path).isDirectory() ? listFiles(path) : [path];
  });
}

const files = [
  ...listFiles(join(ROOT, 'packages')),
  ...listFiles(join(ROOT, 'tools')),
  ...listFiles(join(ROOT, 'docs')),
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((name) => join(ROOT, name)),
];

it.each(readAvoidedWords())('no file contains "%s"', (word) => {
  const pattern = new RegExp(`\\b${word.replaceAll(' ', '[ _-]')}s?\\b`, 'i');
  const found = files.filter((file) => TEXT.test(file) && pattern.test(readFileSync(file, 'utf8')));
  expect(found).toEqual([]);
});

it('no file has a generic name', () => {
  const names = files.filter((file) => GENERIC_NAMES.test(file.split('/').at(-1)!));
  expect(names).toEqual([]);
});
