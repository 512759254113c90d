import type { SourceTable } from '@cdc-migrations/config';
import type { TableMapping } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition, KeyDefinition } from './table-definition.ts';
import { parsePgType } from './types/canonical-type.ts';
import { FOLDING, KEPT_AS_TEXT, type TypeNoteCode } from './types/type-notes.ts';

/** Types without equality, or whose equal values can have different texts. */
const NOT_FOR_KEYS: ReadonlySet<string> = new Set(['xml', 'json', 'jsonb', 'interval', 'numrange']);

/** SQL Server types with these notes whose value is missing in delete events. */
const NOT_IN_DELETES = /(?:^|\()(?:text|ntext|image)\)?$/;
const LARGE: readonly (TypeNoteCode | undefined)[] = ['large-text', 'large-binary'];

/** Properties of a column that a key depends on. */
export interface KeyColumn extends Pick<
  ColumnDefinition,
  'type' | 'exactness' | 'code' | 'reason'
> {
  readonly source?: ColumnDefinition['source'];
}

/** Returns why a column cannot identify rows and how to fix it, or undefined if it can. */
export function keyTypeProblem(
  { type, exactness, code, reason, source }: KeyColumn,
  { lossyKeyColumns }: Pick<SourceTable, 'lossyKeyColumns'>,
): string | undefined {
  const other = 'name another key in key_columns';
  if (exactness === 'unsupported') return `CDC does not replicate this type; ${other}`;
  if (source && LARGE.includes(code) && NOT_IN_DELETES.test(source.type)) {
    return `the event of a delete has no value of the type ${source.type}; ${other}`;
  }
  const parsed = parsePgType(type);
  if (parsed && (parsed.array || NOT_FOR_KEYS.has(parsed.base))) {
    return `values of type ${type} cannot identify rows; override its type or ${other}`;
  }
  if (!FOLDING.has(code) || (source && lossyKeyColumns.includes(source.name))) return undefined;
  return (
    `different values can become equal (${reason}); ` +
    `${KEPT_AS_TEXT.has(code) ? 'override its type with text, ' : ''}${other}, ` +
    'or name the column in lossy_key_columns if no two rows differ only in the lost part'
  );
}

/** Reports a key with a type that cannot identify rows. Warns about a key that changes with every update. */
export function checkKeyTypes(
  key: KeyDefinition,
  columns: readonly ColumnDefinition[],
  { selection, source }: TableMapping,
  problems: ProblemList,
): void {
  for (const column of columns) {
    if (!key.columns.includes(column.name)) continue;
    const about = `column "${column.name}" is part of the key of ${selection.schema}.${source.name}, and `;
    const problem = keyTypeProblem(column, selection);
    if (problem !== undefined) {
      problems.errors.push(problemAt(selection.at, [], about + problem));
    } else if (column.code === 'changes-always') {
      const message = `${about}every update changes it: the sink pipeline has to send a delete of the old key with each`;
      problems.warnings.push(problemAt(selection.at, [], message));
    }
  }
}
