import { quoteLiteral } from '@cdc-migrations/sql-text';
import { isUserFile, MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { createdObjectsExpression, userObjectsSince } from './created-objects.ts';
import {
  isWithoutTransaction,
  WHOLE_DATABASE,
  type MigrationFile,
  type Migrations,
} from '../migrations/migrations.ts';

/** A file in a schema. */
export interface FileInSchema {
  readonly file: MigrationFile;
  readonly schema: string;
}

type Owner = Pick<Migrations, 'set' | 'role' | 'tables'>;

/** Builds the statement that records a file as applied, in the file's transaction. */
export function recordApplied(
  owner: Owner,
  { file, schema }: FileInSchema,
  { outcome, statements }: { outcome: 'applied' | 'baseline'; statements: number | undefined },
): string {
  const { set, role } = owner;
  const created = isUserFile(file)
    ? userObjects(owner, { file, schema })
    : createdObjectsExpression(file, schema, { role, outcome });
  const values = [
    ...key(set.name, { file, schema }),
    quoteLiteral(file.path),
    quoteLiteral(file.checksum),
    quoteLiteral(outcome),
    quoteLiteral(file.checksum),
    statements ?? 'NULL',
    '(extract(epoch FROM pg_catalog.clock_timestamp() - now()) * 1000)::bigint',
    created,
  ];
  return `INSERT INTO cdc_management.migration_history AS history (migration_set, category, table_name, schema_name, file,
  checksum, outcome, applied_checksum, statements, duration_ms, made)
VALUES (${values.join(', ')})
ON CONFLICT (migration_set, category, table_name, schema_name) DO UPDATE
SET file = excluded.file, checksum = excluded.checksum, outcome = excluded.outcome, error = NULL,
  applied_checksum = excluded.applied_checksum, statements = excluded.statements, duration_ms = excluded.duration_ms,
  made = excluded.made, applied_by = excluded.applied_by, applied_at = excluded.applied_at`;
}

/** Error in the history of a file outside of a transaction, until it has ended. */
export const INTERRUPTED =
  'not ended: it runs outside of a transaction, so if no apply is at work, look at what it has done';

/** Builds the statement that records a failure. The content in force stays. */
export function recordFailed(
  { set }: Owner,
  located: FileInSchema,
  { outcome, error }: { outcome: 'unsafe' | 'failed'; error: string },
): string {
  const values = [
    ...key(set.name, located),
    quoteLiteral(located.file.path),
    quoteLiteral(located.file.checksum),
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

/** Builds an SQL condition: this exact content of the file is in force in the schema. */
export function isAppliedCondition(set: string, { file, schema }: FileInSchema): string {
  const columns = 'migration_set, category, table_name, schema_name, applied_checksum';
  const values = [...key(set, { file, schema }), quoteLiteral(file.checksum)].join(', ');
  return `EXISTS (SELECT FROM cdc_management.migration_history WHERE (${columns}) = (${values}))`;
}

/** Builds an SQL condition: a row of history belongs to the file. */
function isOf({ set }: Owner, located: FileInSchema): string {
  return `(migration_set, category, table_name, schema_name) = (${key(set.name, located).join(', ')})`;
}

/**
 * Builds an SQL expression of the objects that a file of users created or changed, `{ objects: UserObject[] }`, in the
 * tenant's schema or in all of them. These are objects as new as its transaction, and remaining older objects of the
 * file.
 */
function userObjects(owner: Owner, located: FileInSchema): string {
  const { file, schema } = located;
  const history = `cdc_management.migration_history WHERE ${isOf(owner, located)}`;
  const since = isWithoutTransaction(file)
    ? `(SELECT xmin FROM ${history})`
    : 'pg_catalog.pg_current_xact_id()::xid';
  const where =
    schema === WHOLE_DATABASE
      ? `nspname !~ '^pg_' AND nspname NOT IN ('information_schema', ${quoteLiteral(MANAGEMENT_SCHEMA)})`
      : `nspname = ${quoteLiteral(schema)}`;
  const inOwn = schema !== WHOLE_DATABASE;
  const names = owner.tables.flatMap(({ name, names: { staging } }) => [name, staging]);
  return `(WITH since AS (
    SELECT pg_catalog.age(${since}) AS age
  ), object AS (${userObjectsSince({ where, tables: names, inOwn })}), before AS (
    SELECT object.* FROM (SELECT made FROM ${history}) AS history
    CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(history.made -> 'objects')
      AS object (schema text, kind text, name text, part text)
  )
  SELECT pg_catalog.jsonb_build_object('objects', coalesce(pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
    'schema', object.schema, 'kind', object.kind, 'name', object.name, 'part', object.part)), '[]'))
  FROM object
  LEFT JOIN before USING (schema, kind, name, part)
  WHERE object.is_new OR before.name IS NOT NULL)`;
}

function key(set: string, { file, schema }: FileInSchema): readonly string[] {
  return [set, file.category, file.name, schema].map(quoteLiteral);
}
