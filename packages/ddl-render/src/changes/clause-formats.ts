import { quoteIdentifier } from '@cdc-migrations/sql-text';

/**
 * Formats of ALTER TABLE clauses, for `format` of PostgreSQL: `%I` is an identifier, `%s` is SQL. The infrastructure
 * gets them as literals, so that `diff` shows the clauses that a target runs.
 */
export const CLAUSE_FORMATS = {
  addColumn: 'ADD COLUMN %I %s',
  renameColumn: 'RENAME COLUMN %I TO %I',
  alterType: 'ALTER COLUMN %I TYPE %s',
  setNotNull: 'ALTER COLUMN %I SET NOT NULL',
  dropNotNull: 'ALTER COLUMN %I DROP NOT NULL',
  setDefault: 'ALTER COLUMN %I SET DEFAULT %s',
  dropDefault: 'ALTER COLUMN %I DROP DEFAULT',
} as const;

/** Renders a clause: `ALTER COLUMN "Navn" TYPE text`. All identifiers are quoted. */
export function formatClause(
  clause: keyof typeof CLAUSE_FORMATS,
  ...values: readonly string[]
): string {
  const rest = [...values];
  return CLAUSE_FORMATS[clause].replace(/%[Is]/g, (kind) => {
    const value = rest.shift()!;
    return kind === '%I' ? quoteIdentifier(value) : value;
  });
}
