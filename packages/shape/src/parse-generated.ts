import { parseYaml, renderYaml, stateOf } from '@cdc-migrations/generated-file';
import type * as v from 'valibot';
import { findConflict } from './find-conflict.ts';
import { isMapping, parseShape, type Draft, type Mapping } from './parse-shape.ts';
import { formatProblem, reportIn, type Keys, type Problem, type Report } from './problem.ts';
import { renderShape } from './render-shape.ts';
import { foundWord } from './scalars.ts';
import { sizeProblem } from './size-problem.ts';

/** Value of `format` in files that this version writes. It is the only one that this version reads. */
export const FORMAT = 1;

/** A kind of file that this program writes and reads back. */
export interface GeneratedKind<Content> {
  /** Name in messages: `a table definition`. */
  readonly what: string;
  readonly schema: v.GenericSchema<unknown, Content>;
  /** The command that regenerates such a file. */
  readonly command: string;
  /** Set if the text is JSON. The default is YAML. */
  readonly syntax?: 'json';
  /** Repair instruction for a damaged file if `--force` and git do not help. */
  readonly remedy?: string;
  /** Set if users may write or change such a file by hand and omit `format`. */
  readonly isHandWritten?: true;
  /** Reports contradictions between values that are valid by themselves. */
  readonly check?: (draft: Draft<Content>, report: Report) => void;
}

type KindFacts = Omit<GeneratedKind<unknown>, 'schema' | 'check'>;

/** Thrown with every problem of a generated file that is damaged or has another format version. */
export class FileError extends Error {
  override readonly name = 'FileError';
  /** True if the checksum of the file does not match its content. */
  readonly isEdited: boolean;
  constructor(
    /** Relative to the repo. */
    readonly path: string,
    readonly problems: readonly Problem[],
    { remedy, isEdited, cause }: FileErrorFacts,
  ) {
    super(describe(path, problems, remedy), cause === undefined ? {} : { cause });
    this.isEdited = isEdited;
  }
}

/** Facts of a FileError in addition to its problems. */
export interface FileErrorFacts {
  /** Instruction to fix the problems. */
  readonly remedy: string;
  readonly isEdited: boolean;
  readonly cause?: unknown;
}

/** Renders the body of a generated file. In YAML, the first `blockDepth` levels have one line per key. */
export function renderGenerated<Content>(
  { schema, syntax }: Pick<GeneratedKind<Content>, 'schema' | 'syntax'>,
  content: Content,
  blockDepth = 1,
): string {
  const value = { format: FORMAT, ...renderShape(schema, content) };
  return syntax === 'json' ? `${JSON.stringify(value, null, 2)}\n` : renderYaml(value, blockDepth);
}

/**
 * Parses the text of a generated file. The checksum is ignored.
 *
 * @param path path of the file, for errors.
 * @throws FileError with every problem.
 */
export function parseGenerated<Content>(
  kind: GeneratedKind<Content>,
  text: string,
  path: string,
): Content {
  const { format, ...content } = readMapping(kind, text, path);
  if (format !== FORMAT && !(format === undefined && kind.isHandWritten)) {
    throw otherFormat(kind, format, path);
  }
  const problems: Problem[] = [];
  const collect = reportIn(path, problems);
  const report: Report = (keys, ...rest) => collect(nameItems(keys, content), ...rest);
  const { draft, whole } = parseShape(kind.schema, content, report);
  if (draft !== undefined) kind.check?.(draft as Draft<Content>, report);
  if (problems.length > 0) throw damaged(kind, { text, path, problems });
  return whole!;
}

function readMapping(kind: KindFacts, text: string, path: string): Mapping {
  const refuse = (message: string, line?: number, cause?: unknown) => {
    const problem = { at: { file: path, keys: [] }, message, ...(line && { line }) };
    return damaged(kind, { text, path, problems: [problem], cause });
  };
  const conflict = findConflict(path, text);
  if (conflict) throw refuse(conflict.message, conflict.line);
  let value: unknown;
  try {
    value = kind.syntax === 'json' ? JSON.parse(text) : parseYaml(text);
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw refuse(`invalid JSON: ${cause.message}`, undefined, cause);
    const { reason, mark } = cause as { readonly reason?: string; readonly mark?: Mark };
    if (reason === undefined) throw cause;
    throw refuse(`invalid YAML: ${reason}`, mark && mark.line + 1, cause);
  }
  const fault = sizeProblem(text, value);
  if (fault !== undefined) throw refuse(fault);
  if (isMapping(value)) return value;
  throw refuse(`expected ${kind.what}, found ${foundWord(value)}`);
}

/** Position in a YAMLException. */
interface Mark {
  readonly line: number;
}

interface DamagedFile {
  readonly text: string;
  readonly path: string;
  readonly problems: readonly Problem[];
  readonly cause?: unknown;
}

function damaged(
  { command, isHandWritten, syntax, remedy }: KindFacts,
  { text, path, problems, cause }: DamagedFile,
): FileError {
  return new FileError(path, problems, {
    remedy: remedy ?? `${command} --force generates it again, and git has the committed version`,
    isEdited: !isHandWritten && syntax !== 'json' && stateOf(path, text) === 'edited',
    cause,
  });
}

function otherFormat(
  { what, command, remedy: own }: KindFacts,
  format: unknown,
  path: string,
): FileError {
  const isNewer = typeof format === 'number' && format > FORMAT;
  const [found, remedy] =
    format === undefined
      ? [own ? 'none' : 'none, as in files of versions before 0.1', `${command} updates it`]
      : isNewer
        ? [`${format}, written by a newer version`, 'install that version of cdc-migrations']
        : [foundWord(format), `${command} --force generates it again`];
  const message = `expected ${what} of format ${FORMAT}, found ${found}`;
  const problem = { at: { file: path, keys: ['format'] }, message };
  return new FileError(path, [problem], {
    remedy: isNewer ? remedy : (own ?? remedy),
    isEdited: false,
  });
}

/** Replaces the indexes of list items in keys with the names of the items: `columns.Navn.type`. */
function nameItems(keys: Keys, content: unknown): Keys {
  let value = content;
  return keys.map((key) => {
    value = isMapping(value) || Array.isArray(value) ? (value as Mapping)[key] : undefined;
    const name = typeof key === 'number' && isMapping(value) ? value['name'] : undefined;
    return typeof name === 'string' && name !== '' ? name : key;
  });
}

const SHOWN_PROBLEMS = 50;

function describe(path: string, problems: readonly Problem[], remedy: string): string {
  const rest = problems.length - SHOWN_PROBLEMS;
  return [
    ...problems.slice(0, SHOWN_PROBLEMS).map(formatProblem),
    ...(rest > 0 ? [`${path}: and ${rest} more`] : []),
    `${path}: ${remedy}`,
  ].join('\n');
}
