import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSnapshot } from '@cdc-migrations/catalog';
import { ConfigError, parseServiceConfig, type FileText } from '@cdc-migrations/config';
import { buildDefinitions } from './build-definitions.ts';
import { summarise } from './summarise.fixture.ts';

const CASES = join(__dirname, '..', 'cases');
/** Default files of a case. */
const COMMON = '_common';
const SNAPSHOTS = 'generated/schemas/';

/** Every folder of `cases` is an implementation repo with its expected definitions or problems. */
test.each(readdirSync(CASES).filter((name) => name !== COMMON))(
  'builds the expected definitions or problems of the case %s',
  (name) => {
    const files = new Map([...readFolder(join(CASES, COMMON)), ...readFolder(join(CASES, name))]);
    const expected = files.get('expected.txt');
    files.delete('expected.txt');
    expect(definitionsOf(files)).toBe(expected);
  },
);

function definitionsOf(files: ReadonlyMap<string, string>): string {
  const snapshots = [...files].filter(([path]) => path.startsWith(SNAPSHOTS));
  const configuration = [...files].filter(([path]) => !path.startsWith(SNAPSHOTS));
  const catalogs = snapshots.map(([path, text]) => parseSnapshot(text, path));
  try {
    const config = parseServiceConfig(new Map<string, FileText>(configuration));
    return summarise(buildDefinitions(config, catalogs));
  } catch (error) {
    if (error instanceof ConfigError) return `${error.message}\n`;
    throw error;
  }
}

function readFolder(root: string): readonly (readonly [string, string])[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]);
}
