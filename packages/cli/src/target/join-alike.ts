import { groupBy, namePattern, SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import { nameSchema } from './name-schema.ts';

/** Lines about a schema. */
export interface SchemaLines {
  /** Null for no schema. */
  readonly schema: string | null;
  readonly lines: readonly string[];
  /** Text that alike items share if their lines have other numbers. The default is the lines. */
  readonly cause?: string;
  /** Number or text of this schema, shown behind its name. */
  readonly detail?: string;
}

/** Number of alike items from which on only the first is printed in full. */
const MANY = 3;
/** Maximum number of schemas that are listed behind a cause. */
const SHOWN_SCHEMAS = 10;

/**
 * Joins items that differ only in the name of their schema. Of many the first is printed in full, and a line names the
 * others:
 *
 *     blue.Actor: last merge failed: division by zero
 *       the same in 2 more: avansas, oslo
 */
export function joinAlike(items: readonly SchemaLines[]): readonly string[] {
  const groups = groupBy(items, ({ schema, lines, cause }) =>
    withoutSchema(cause ?? lines.join('\n'), schema),
  );
  return [...groups.values()].flatMap((group) => {
    if (group.length < MANY) return group.flatMap(({ lines }) => lines);
    const [first, ...others] = group;
    const names = others
      .slice(0, SHOWN_SCHEMAS)
      .map(({ schema, detail }) => nameSchema(schema ?? '?') + (detail ? ` (${detail})` : ''));
    const more = others.length > names.length ? ', …' : '';
    return [...first!.lines, `  the same in ${others.length} more: ${names.join(', ')}${more}`];
  });
}

/** Replaces a schema as a whole word. */
function withoutSchema(text: string, schema: string | null): string {
  if (!schema) return text;
  return text.replaceAll(new RegExp(namePattern(schema), 'gu'), SCHEMA_PLACEHOLDER);
}
