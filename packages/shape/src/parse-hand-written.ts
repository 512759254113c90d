import { FAILSAFE_SCHEMA, load, Type, YAMLException, type LoadOptions } from 'js-yaml';
import { findConflict } from './find-conflict.ts';
import type { Keys, Problem } from './problem.ts';
import { lengthProblem, sizeProblem } from './size-problem.ts';
import { findDuplicateKeys } from './yaml-positions.ts';

/** The value of a YAML text, or its problems. */
export type ParsedYaml = { readonly value: unknown } | { readonly problems: readonly Problem[] };

/**
 * Parses the YAML of a hand-written file and returns its value or its problems. A plain scalar is text as written, so
 * `0123`, `1e3`, `on` and `2024-01-01` remain names. Only true, false, null and `<<` have a special meaning.
 */
export function parseHandWritten(file: string, text: string): ParsedYaml {
  const problem = (message: string, line: number) => ({
    problems: [{ at: { file, keys: [] }, line, message }],
  });
  const length = lengthProblem(text);
  if (length !== undefined) return problem(length, 1);
  const conflict = findConflict(file, text);
  if (conflict) return problem(`${conflict.message}; resolve it`, conflict.line);
  try {
    const value = load(text, OPTIONS) ?? undefined;
    const fault = sizeProblem(text, value);
    if (fault !== undefined) return problem(fault, 1);
    const keys = text.includes(NO_TEXT) ? undefined : findMappingKey(value, []);
    if (!keys) return { value };
    const message = 'expected text as a key, in quotes where it begins with {, found a mapping';
    return { problems: [{ at: { file, keys }, message }] };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const duplicates =
      error.reason === 'duplicated mapping key' ? findDuplicateKeys(file, text) : [];
    if (duplicates.length > 0) return { problems: duplicates };
    const line = ((error.mark as typeof error.mark | undefined)?.line ?? 0) + 1;
    // Removes quoted parts of the reason, which may contain part of a password.
    const reason = error.reason.replace(/ ?("[^"]*"|!<[^>]*>)/g, '');
    return problem(`invalid YAML: ${reason}`, line);
  }
}

/** Text that js-yaml makes of a mapping used as a key, as in `{{SCHEMA}}: x`. */
const NO_TEXT = String({});

/** Finds a mapping that has another mapping as a key. Returns its keys. */
function findMappingKey(value: unknown, keys: Keys): Keys | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, NO_TEXT)) return keys;
  const isList = Array.isArray(value);
  for (const [key, below] of Object.entries(value)) {
    const found = findMappingKey(below, [...keys, isList ? Number(key) : key]);
    if (found) return found;
  }
  return undefined;
}

const OPTIONS: LoadOptions & { readonly maxTotalMergeKeys: number } = {
  schema: FAILSAFE_SCHEMA.extend({
    implicit: [
      plainScalar('null', new Map([['~', null], ...spellings('null', null)])),
      plainScalar('bool', new Map([...spellings('true', true), ...spellings('false', false)])),
      new Type('tag:yaml.org,2002:merge', { kind: 'scalar', resolve: (text) => text === '<<' }),
    ],
  }),
  maxTotalMergeKeys: 1_000_000,
};

/** Builds a type for scalars that can be written in several ways. */
function plainScalar(name: string, values: ReadonlyMap<string, boolean | null>): Type {
  return new Type(`tag:yaml.org,2002:${name}`, {
    kind: 'scalar',
    resolve: (text: string | null) => text !== null && values.has(text),
    construct: (text: string) => values.get(text),
  });
}

/** Lists the spellings of a word: `true`, `True` and `TRUE`. */
function spellings<Value>(word: string, value: Value): [string, Value][] {
  const capital = word[0]!.toUpperCase() + word.slice(1);
  return [word, capital, word.toUpperCase()].map((spelling) => [spelling, value]);
}
