import { findTurningLetters } from '@cdc-migrations/generated-file';
import {
  parseShape,
  parseHandWritten,
  reportIn,
  type Keys,
  type Problem,
  type Report,
  type Shape,
} from '@cdc-migrations/shape';
import type * as v from 'valibot';
import { checkLetters } from './checks/check-letters.ts';
import type { ConfigFiles } from './config-files.ts';
import type { FileKind } from './file-kinds.ts';

/** What a file says, and where to report what turns out to be wrong with it. */
export interface Part<Value> extends Shape<Value> {
  readonly file: string;
  /** Keys that lead to the value: those of a report begin at the root of the file. */
  readonly keys: Keys;
  readonly report: Report;
}

/** The content of a file of this kind; undefined, and reported, where it has none. */
export function parsePart<Schema extends v.GenericSchema>(
  files: ConfigFiles,
  file: string,
  { schema, expected }: FileKind<Schema>,
  problems: Problem[],
): Part<v.InferOutput<Schema>> | undefined {
  const value = parseValue(files, file, expected, problems);
  if (value === undefined) return undefined;
  const report = reportIn(file, problems);
  return { file, keys: [], report, ...parseShape(schema, value, report) };
}

/** The value of a file; undefined, and reported, where it has none. One that is not there is not our concern. */
export function parseValue(
  files: ConfigFiles,
  file: string,
  expected: string,
  problems: Problem[],
): unknown {
  const text = files.get(file);
  if (typeof text !== 'string') return undefined;
  const parsed = parseHandWritten(file, text);
  if ('problems' in parsed) {
    problems.push(...parsed.problems);
    return undefined;
  }
  const report = reportIn(file, problems);
  if (parsed.value === undefined) report([], `an empty file; expected ${expected}`);
  checkLetters(parsed.value, report);
  for (const { line, letter } of findTurningLetters(text)) {
    const message = `found a letter that turns the direction of writing (${letter}); expected it as an escape in quotes, or not at all`;
    problems.push({ at: { file, keys: [] }, line, message });
  }
  return parsed.value;
}
