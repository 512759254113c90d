import { WHOLE_DATABASE } from '@cdc-migrations/tracker';

/** What people call the place of a file: its schema, or `(database)`. */
export function nameSchema(schema: string): string {
  return schema === WHOLE_DATABASE ? '(database)' : schema;
}
