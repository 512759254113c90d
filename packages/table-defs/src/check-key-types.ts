import type { Place } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition, KeyDefinition } from './table-definition.ts';
import { parsePgType } from './types/canonical-type.ts';

/** Types whose equal values are not always the same text, or that have no equality. */
const NOT_FOR_KEYS: ReadonlySet<string> = new Set(['xml', 'json', 'jsonb', 'interval']);

/** Refuses a key by whose type rows cannot be told apart, and warns of one that the change feed does not carry. */
export function checkKeyTypes(
  key: KeyDefinition,
  columns: readonly ColumnDefinition[],
  { selection, source }: Place,
  problems: ProblemList,
): void {
  const table = `${selection.schema}.${source.name}`;
  for (const { name, type, exactness } of columns) {
    if (!key.columns.includes(name)) continue;
    const parsed = parsePgType(type);
    if (parsed && (parsed.array || NOT_FOR_KEYS.has(parsed.base))) {
      const message =
        `column "${name}" is part of the key of ${table}, and rows cannot be told apart by ${type}; ` +
        'override its type or name another key in key_columns';
      problems.errors.push(problemAt(selection.at, [], message));
    }
    if (exactness === 'unsupported') {
      const message =
        `column "${name}" is part of the key of ${table}, and the change feed does not carry its type: ` +
        'every event goes to the dead letters';
      problems.warnings.push(problemAt(selection.at, [], message));
    }
  }
}
