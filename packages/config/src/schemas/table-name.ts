import { text } from '@cdc-migrations/shape';
import * as v from 'valibot';

/** Parses `<schema>.<table>`, split at the first dot. Table names may contain dots. */
export function tableName() {
  return v.pipe(
    text('`<schema>.<table>`'),
    v.regex(
      /^[^.]+\.[\s\S]*[^.]$/,
      ({ input }) => `expected \`<schema>.<table>\`, found "${input}"`,
    ),
  );
}

/** Splits the name of a table into its two parts. */
export function splitTableName(name: string): { readonly schema: string; readonly table: string } {
  const dot = name.indexOf('.');
  return { schema: name.slice(0, dot), table: name.slice(dot + 1) };
}
