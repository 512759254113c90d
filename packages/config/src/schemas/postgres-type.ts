import { text } from '@cdc-migrations/shape';
import * as v from 'valibot';

/** A type as PostgreSQL writes it. */
export function postgresType() {
  const what = 'a PostgreSQL type such as uuid or numeric(19,4)';
  return v.pipe(
    text(what),
    v.regex(/^["\p{L}_]/u, ({ input }) => `expected ${what}; found "${input}"`),
  );
}
