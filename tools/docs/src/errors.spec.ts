import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { locateTargetError } from '../../../packages/cli/src/target/locate-target-error.ts';
import type { MismatchCode } from '../../../packages/cli/src/pipelines/find-mismatches.ts';
import { findConnectionFailure } from '../../../packages/session/src/index.ts';
import * as tracker from '../../../packages/tracker/src/index.ts';
import {
  COMMAND_ERRORS,
  CONNECTIONS,
  DEAD_LETTERS,
  FINDINGS,
  INTERNAL_ERRORS,
  INTERNAL_SQLSTATES,
  MESSAGES,
  MISMATCHES,
  SQLSTATES,
} from './error-table.ts';
import { readMessages } from './read-messages.ts';
import { findEntry } from './render-errors.ts';

const ROOT = join(__dirname, '../../..');
const FILES = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'packages', 'tools'], {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: Infinity,
})
  .split('\n')
  .filter((path) => path !== '' && !path.startsWith('tools/docs/'));
const textOf = (pattern: RegExp) =>
  FILES.filter((path) => pattern.test(path))
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n');

/** Code and templates of the product. */
const SOURCE = textOf(
  /^packages\/[^/]+\/(src|templates)\/(?!.*\.(spec|fixture)\.ts$).*\.(ts|hbs)$/,
);
/** Tests, and what they expect. */
const TESTS = textOf(/\.(spec|fixture)\.ts$|\/cases\/[^/]+\/expected[^/]*$/);

const CLASSES = [...SOURCE.matchAll(/class (\w+Error) extends \w*Error \{([^]*?)\n\}/g)].map(
  ([, name, body]) => ({ name: name!, body: body! }),
);

it('the table has every error class', () => {
  expect([...Object.keys(COMMAND_ERRORS), ...INTERNAL_ERRORS].sort()).toEqual(
    CLASSES.map(({ name }) => name).sort(),
  );
});

/** Returns the constant parts of the messages of a class: from its body, and from where it is thrown. */
function fragmentsOf({ name, body }: (typeof CLASSES)[number]): readonly string[] {
  const thrown = [...SOURCE.matchAll(new RegExp(`new ${name}\\(([^]*?)\\);\n`, 'g'))];
  const texts = [body, ...thrown.map(([, args]) => args!)].flatMap(
    (code) => code.match(/'(?:[^'\\\n]|\\.)*'|`[^`]*`/g) ?? [],
  );
  return texts
    .flatMap((text) => text.slice(1, -1).split(/\$\{[^}]*\}|\\n|['"]/))
    .flatMap(windowsOf);
}

/** Returns all sequences of four words, because tests quote parts of messages. */
function windowsOf(text: string): readonly string[] {
  const words = text.trim().split(/\s+/);
  return words.slice(3).map((_, index) => words.slice(index, index + 4).join(' '));
}

/** Specs that trigger an error without quoting four words of its message, each with a text from the spec. */
const TRIGGERED_BY: Readonly<Record<string, readonly [spec: string, text: string]>> = {
  ServerUnreachableError: ['packages/cli/src/source/schema-docs.spec.ts', 'unknown host; fix'],
  SourceQueryError: ['packages/cli/src/source/enable-cdc.spec.ts', '22832'],
  CaFileError: ['packages/cli/src/source/schema-docs.spec.ts', 'ca_file .*no'],
  ClientCommandError: ['packages/cli/src/generate/damaged-files.spec.ts', 'a command of psql'],
  ForeignObjectsError: ['packages/cli/src/apply/creating-role.spec.ts', 'belongs to'],
  StillDefinedError: ['packages/cli/src/retire/retire.spec.ts', 'is in services/'],
  'unknown host': ['packages/cli/src/source/schema-docs.spec.ts', 'unknown host; fix'],
  'encryption demanded': ['packages/tracker/src/session/session.spec.ts', 'requires encryption'],
  FilesRefusedError: ['packages/cli/src/apply/apply.spec.ts', 'this generated file was edited'],
  UnsafeSchemaNameError: [
    'packages/cli/src/apply/secrets.spec.ts',
    'the schema name of a manifest is refused',
  ],
  'no route to host': ['packages/cli/src/source/no-route.spec.ts', '(EHOSTUNREACH)'],
  CD004: ['packages/cli/src/apply/lost-lock.spec.ts', 'another session applies to this schema'],
  CD007: ['packages/cli/src/apply/lost-lock.spec.ts', "toBe('applied meanwhile')"],
  CD009: ['packages/cli/src/apply/creating-role.spec.ts', 'belongs to'],
  'squawk-cli failed: no output': [
    'packages/cli/src/lint/lint.spec.ts',
    'squawk-cli failed: broken',
  ],
  '--listen …:…': ['packages/cli/src/metrics/metrics.spec.ts', '--listen .*EADDRINUSE'],
  'CDC_DB_USER is empty': ['packages/cli/src/repo/read-role.spec.ts', "['', 'is empty']"],
  'CDC_DB_USER has invisible characters': [
    'packages/cli/src/repo/read-role.spec.ts',
    "'has invisible characters'",
  ],
  'another session is merging …': [
    'tools/e2e/src/replay-dead-letters.spec.ts',
    'another session is merging',
  ],
  'since the reload began: … dead letters and … refused events, which may belong to rows that were read':
    ['packages/cli/src/reload/reload.spec.ts', '0 refused events'],
  'table ……': ['packages/cli/src/apply/partitions.spec.ts', 'is not partitioned, expected'],
};

/** Expects that a test triggers an error. */
function expectTriggered(name: string, isQuoted: boolean): void {
  const [spec, text] = TRIGGERED_BY[name] ?? [];
  const isTriggered =
    spec === undefined ? isQuoted : readFileSync(join(ROOT, spec), 'utf8').includes(text!);
  expect({ name, isTriggered }).toEqual({ name, isTriggered: true });
}

it.each(CLASSES.filter(({ name }) => name in COMMAND_ERRORS))(
  'a test triggers $name',
  ({ name, body }) => {
    const isNamed = new RegExp(`\\b${name}\\b`).test(TESTS);
    const isPrinted = fragmentsOf({ name, body }).some((text) => TESTS.includes(text));
    expectTriggered(name, isNamed || isPrinted);
  },
);

/** Error classes with a message from elsewhere, or with several exit codes. */
const SEVERAL = new Set(['TargetError', 'FilesRefusedError']);
const OF_TARGETS = Object.entries(tracker).filter(
  ([name]) => name in COMMAND_ERRORS && !SEVERAL.has(name),
);

it.each(OF_TARGETS)('%s ends a command with the exit code of the table', (name, errorClass) => {
  const error: unknown = Object.create((errorClass as { readonly prototype: object }).prototype);
  const [exitCode] = COMMAND_ERRORS[name as keyof typeof COMMAND_ERRORS];
  expect(locateTargetError(error, 'target')).toMatchObject({ exitCode });
});

it.each(Object.entries(CONNECTIONS))(
  'the codes of "%s" match findConnectionFailure',
  (reason, [codes]) => {
    expect(codes.map(findConnectionFailure)).toEqual(codes.map(() => reason));
    expectTriggered(
      reason,
      codes.some((code) => TESTS.includes(code)),
    );
  },
);

it('the table has every SQLSTATE of this project', () => {
  const ours = Object.keys(SQLSTATES).filter((code) => code.startsWith('CD'));
  expect([...ours, ...INTERNAL_SQLSTATES].sort()).toEqual(
    [...new Set(SOURCE.match(/\bCD\d{3}\b/g))].sort(),
  );
});

const MISMATCH_CODES: Readonly<Record<MismatchCode, unknown>> = MISMATCHES;

it.each([
  ...Object.keys(SQLSTATES),
  ...Object.keys(FINDINGS),
  ...Object.keys(MISMATCH_CODES),
  ...DEAD_LETTERS.map(([reason]) => reason),
])('a test triggers "%s"', (code) => expectTriggered(code, TESTS.includes(code)));

it.each(DEAD_LETTERS)('the merge has a reason with "%s"', (reason) => {
  expect(SOURCE).toContain(reason);
});

const MESSAGES_OF_CODE = readMessages(ROOT);

it('every message has advice, or an entry in the table', () => {
  const unexplained = MESSAGES_OF_CODE.filter((message) => {
    return message.advice === undefined && findEntry(message) === undefined;
  });
  expect(unexplained).toEqual([]);
});

it.each(Object.keys(MESSAGES))('the code has a message with "%s"', (part) => {
  expect(MESSAGES_OF_CODE.map(findEntry)).toContain(part);
});

/** Matches a whole message in a test, with other values. */
function patternOf(text: string): RegExp {
  const parts = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('[^\\n]{1,90}'));
}

const UNESCAPED_TESTS = TESTS.replaceAll('\\', '');

it.each([...new Set(MESSAGES_OF_CODE.map(({ text }) => text))])(
  'a test triggers the message "%s"',
  (text) => {
    const windows = text.split(/…|"/).flatMap(windowsOf);
    const isQuoted = windows.some((part) => UNESCAPED_TESTS.includes(part));
    expectTriggered(text, isQuoted || patternOf(text).test(UNESCAPED_TESTS));
  },
);
