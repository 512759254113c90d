import { text } from '@cdc-migrations/shape';
import * as v from 'valibot';

/** `<schema>.<table>`, cut at the first dot: the table's name may have more of them. */
export function tableName() {
  return v.pipe(
    text('`<schema>.<table>`'),
    v.regex(
      /^[^.]+\.[\s\S]*[^.]$/,
      ({ input }) => `expected \`<schema>.<table>\`, found "${input}"`,
    ),
  );
}

/** The two parts of a table's name. */
export function splitTableName(name: string): { readonly schema: string; readonly table: string } {
  const dot = name.indexOf('.');
  return { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}
