import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
import type { ConfigFile } from './config-files.ts';
import { renderJsonSchemas } from './render-json-schemas.ts';

const ROOT = join(__dirname, '../../..');
const CASES = join(ROOT, 'packages/config/cases');

const KINDS: readonly (readonly [pattern: RegExp, file: ConfigFile])[] = [
  [/(^|\/)source-groups\.yaml$/, 'source-groups'],
  [/(^|\/)sink-groups\.yaml$/, 'sink-groups'],
  [/\/_schemas\/column-templates\.yaml$/, 'column-templates'],
  [/\/_definitions\/source-.*-type-overrides\.yaml$/, 'type-overrides'],
  [/(^|\/)services\/[^_./][^/]*\.yaml$/, 'service'],
];

/** Problems that the shape of one file decides. All other problems need other files or positions. */
const OF_SHAPE =
  /^(missing key|unknown key|expected (?!`<sink|a service:|a name without|a new name|a unique customer_id|a separate database|at least one column name|\\u|.* for a table that |one of range, list and hash|count: |partitions with |from and to with |one column, |another name, |at least one value|one partition |\d+ values))/;

const validators = new Map<string, ValidateFunction>();

beforeAll(() => {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });
  ajv.addFormat('regex', { type: 'string', validate: isRegularExpression });
  for (const [path, text] of renderJsonSchemas()) {
    validators.set(/([^/]+)\.schema\.json$/.exec(path)![1]!, ajv.compile(JSON.parse(text)));
  }
});

function isRegularExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** Validates a file with its schema, like an editor. Returns undefined if the text is no YAML. */
function errorsOf(file: string): readonly ErrorObject[] | undefined {
  const [, kind] = KINDS.find(([pattern]) => pattern.test(file))!;
  const validate = validators.get(kind)!;
  try {
    validate(parse(readFileSync(file, 'utf8'), { merge: true, uniqueKeys: false }));
    return validate.errors ?? [];
  } catch {
    return undefined;
  }
}

function configFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => KINDS.some(([pattern]) => pattern.test(file)));
}

const REPOS = ['fixtures/adopus', 'fixtures/asma', 'packages/cli/cases/_base'].map((path) =>
  join(ROOT, path),
);

it.each(REPOS.flatMap(configFiles).map((file) => relative(ROOT, file)))(
  '%s matches its schema',
  (file) => {
    expect(errorsOf(join(ROOT, file))).toEqual([]);
  },
);

interface Problem {
  readonly file: string;
  readonly path: string;
  readonly message: string;
}

function problemsOf(name: string): readonly Problem[] {
  const text = readFileSync(join(CASES, name, 'expected.txt'), 'utf8');
  return [...text.matchAll(/^(\S+\.yaml)(?::\d+)?(?: (.*?))?: (.*)$/gm)].map(
    ([, file, path = '', message]) => ({ file: file!, path, message: message! }),
  );
}

/** Checks if an error is about the value at a path or something in it. */
function isAt({ instancePath, propertyName }: ErrorObject, path: string): boolean {
  const found = instancePath.slice(1).replace(/\//g, '.').replace(/~1/g, '/');
  const key = propertyName === undefined ? found : `${found}.${propertyName}`;
  return path === '' || `${key}.`.startsWith(`${path}.`);
}

describe.each(readdirSync(CASES))('%s', (name) => {
  const problems = problemsOf(name);
  it('has the same problems of shape in the schemas as in the parser', () => {
    const missed: Problem[] = [];
    const extra: string[] = [];
    for (const file of configFiles(join(CASES, name))) {
      const path = relative(join(CASES, name), file);
      const errors = errorsOf(file);
      const ofFile = problems.filter((problem) => problem.file === path);
      if (errors === undefined) continue;
      const ofShape = ofFile.filter(({ message }) => OF_SHAPE.test(message));
      missed.push(
        ...ofShape.filter((problem) => !errors.some((error) => isAt(error, problem.path))),
      );
      if (ofFile.length === 0)
        extra.push(...errors.map((error) => `${path} ${JSON.stringify(error)}`));
    }
    expect({ missed, extra }).toEqual({ missed: [], extra: [] });
  });
});

it('each file of a new repo names a schema of the CLI package in its first line, and matches it', () => {
  const workspace = mkdtempSync(join(tmpdir(), 'cdc-'));
  const cli = join(ROOT, 'packages/cli');
  mkdirSync(join(workspace, 'node_modules/@cdc-migrations'), { recursive: true });
  symlinkSync(cli, join(workspace, 'node_modules/@cdc-migrations/cli'));
  writeFileSync(join(workspace, 'package.json'), '{}');
  const args = [join(cli, 'bin/cdc.js'), 'init', 'apps/shop', '--pattern=db-shared'];
  execFileSync(process.execPath, args, { cwd: workspace });
  const files = configFiles(join(workspace, 'apps/shop'));
  expect(files).toHaveLength(4);
  for (const file of files) {
    const [, path] = /^# yaml-language-server: \$schema=(.*)\n/.exec(readFileSync(file, 'utf8'))!;
    const { title } = JSON.parse(readFileSync(join(dirname(file), path!), 'utf8'));
    const pattern = title.replace(/<\w+>/g, '[^/]+');
    expect(relative(join(workspace, 'apps/shop'), file)).toMatch(new RegExp(`^${pattern}$`));
    expect(errorsOf(file)).toEqual([]);
  }
  rmSync(workspace, { recursive: true });
});
