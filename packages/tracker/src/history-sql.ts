import { quoteLiteral } from '@cdc-migrations/sql-text';
import { madeExpression } from './made-objects.ts';
import type { MigrationFile, Migrations } from './migrations.ts';

/** A file in a schema. */
export interface Placed {
  readonly file: MigrationFile;
  readonly schema: string;
}

type Owner = Pick<Migrations, 'set' | 'role'>;

/** The statement that records a file as applied, to stand in its transaction behind it. */
export function recordApplied(
  { set, role }: Owner,
  { file, schema }: Placed,
  { outcome, statements }: { outcome: 'applied' | 'baseline'; statements: number | undefined },
): string {
  const values = [
    ...key(set.name, { file, schema }),
    quoteLiteral(file.path),
    quoteLiteral(file.checksum),
    quoteLiteral(outcome),
    quoteLiteral(file.checksum),
    statements ?? 'NULL',
    '(extract(epoch FROM pg_catalog.clock_timestamp() - now()) * 1000)::bigint',
    madeExpression(file, schema, { role, outcome }),
  ];
  return `INSERT INTO cdc_management.migration_history AS history (migration_set, category, table_name, schema_name, file,
  checksum, outcome, applied_checksum, statements, duration_ms, made)
VALUES (${values.join(', ')})
ON CONFLICT (migration_set, category, table_name, schema_name) DO UPDATE
SET file = excluded.file, checksum = excluded.checksum, outcome = excluded.outcome, error = NULL,
  applied_checksum = excluded.applied_checksum, statements = excluded.statements, duration_ms = excluded.duration_ms,
  made = excluded.made, applied_by = excluded.applied_by, applied_at = excluded.applied_at`;
}

/** The statement that records that a file could not be applied; what was in force before stays. */
export function recordFailed(
  { set }: Owner,
  placed: Placed,
  { outcome, error }: { outcome: 'unsafe' | 'failed'; error: string },
): string {
  const values = [
    ...key(set.name, placed),
    quoteLiteral(placed.file.path),
    quoteLiteral(placed.file.checksum),
    quoteLiteral(outcome),
    quoteLiteral(error),
  ];
  return `INSERT INTO cdc_management.migration_history AS history (migration_set, category, table_name, schema_name, file,
  checksum, outcome, error)
VALUES (${values.join(', ')})
ON CONFLICT (migration_set, category, table_name, schema_name) DO UPDATE
SET file = excluded.file, checksum = excluded.checksum, outcome = excluded.outcome, error = excluded.error,
  applied_by = excluded.applied_by, applied_at = excluded.applied_at`;
}

/** SQL condition: this very content of the file is in force in the schema. */
export function isAppliedCondition(set: string, { file, schema }: Placed): string {
  const columns = 'migration_set, category, table_name, schema_name, applied_checksum';
  const values = [...key(set, { file, schema }), quoteLiteral(file.checksum)].join(', ');
  return `EXISTS (SELECT FROM cdc_management.migration_history WHERE (${columns}) = (${values}))`;
}

function key(set: string, { file, schema }: Placed): readonly string[] {
  return [set, file.category, file.name, schema].map(quoteLiteral);
}
