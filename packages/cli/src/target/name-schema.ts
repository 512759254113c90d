import { WHOLE_DATABASE } from '@cdc-migrations/tracker';

/** Returns the name of a file's place: its schema, or `(database)`. */
export function nameSchema(schema: string): string {
  return schema === WHOLE_DATABASE ? '(database)' : schema;
}
