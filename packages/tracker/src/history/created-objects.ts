import { quoteLiteral } from '@cdc-migrations/sql-text';
import { buildRoutines, MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { jsonLiteral } from '../session/json-literal.ts';
import type { MigrationFile } from '../migrations/migrations.ts';

/** An object that a file created. */
export interface CreatedObject {
  readonly digest: string;
  /** True if the role of the files may execute the routine or read the relation. */
  readonly role: boolean;
  /** True if PUBLIC may. */
  readonly public: boolean;
}

/**
 * Builds an SQL expression of the current `CreatedObject`s of a file in a schema, by kind and name (`routine
 * sp_merge_actor()`). They are the routines and the registration of a staging file, or all objects of the
 * infrastructure. The expression is NULL for files whose result can be compared with the definitions.
 */
export function createdObjectsExpression(
  file: MigrationFile,
  schema: string,
  { role, outcome }: { readonly role: string; readonly outcome: 'applied' | 'baseline' },
): string {
  if (file.category === 'infrastructure') return infrastructure(role, outcome);
  if (file.category !== 'staging' || !file.table) return 'NULL';
  const names = Object.values(buildRoutines(file.table))
    .map(({ name }) => quoteLiteral(name))
    .join(', ');
  const where = `namespace.nspname = ${quoteLiteral(schema)} AND routine.proname IN (${names})`;
  const registered = `(control.schema_name, control.table_name) = (${quoteLiteral(schema)}, ${quoteLiteral(file.table.name)})`;
  return `(SELECT pg_catalog.jsonb_object_agg(object.name, object.made)
  FROM (${routines(role, where)} UNION ALL ${registrations(registered)}) AS object)`;
}

/**
 * Excludes routines that existed before the transaction and were not replaced, and extensions. Any role with CREATE on
 * the database may create and drop extensions here.
 */
function infrastructure(role: string, outcome: 'applied' | 'baseline'): string {
  const where = `namespace.nspname = ${quoteLiteral(MANAGEMENT_SCHEMA)}`;
  const own =
    outcome === 'applied' ? ' AND routine.xmin = pg_catalog.pg_current_xact_id()::xid' : '';
  return `(SELECT pg_catalog.jsonb_object_agg(object.name, object.made)
  FROM (${routines(role, `${where}${own} AND ${isNoMember('pg_proc', 'routine')}`)}
    UNION ALL ${relations(role, `${where} AND ${isNoMember('pg_class', 'relation')}`)}) AS object)`;
}

/** Builds a condition: an object belongs to no extension. */
function isNoMember(catalog: string, alias: string): string {
  return `NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS member
      WHERE member.classid = 'pg_catalog.${catalog}'::regclass AND member.objid = ${alias}.oid AND member.deptype = 'e')`;
}

/**
 * Builds a query of routines: `schema`, `name`, `made`. The digest covers the CREATE FUNCTION text.
 *
 * @param where condition on `namespace` and `routine`
 */
export function routines(role: string, where: string): string {
  return `SELECT namespace.nspname AS schema,
    pg_catalog.format('routine %s(%s)', routine.proname, pg_catalog.pg_get_function_identity_arguments(routine.oid)) AS name,
    pg_catalog.jsonb_build_object(
      'digest', pg_catalog.md5(pg_catalog.concat_ws('|', routine.prosrc, pg_catalog.pg_get_function_sqlbody(routine.oid),
        routine.prokind, routine.prosecdef, routine.provolatile, routine.proisstrict, routine.proconfig,
        routine.prorettype::regtype, routine.prolang)),
      'role', coalesce(pg_catalog.has_function_privilege(grantee.oid, routine.oid, 'EXECUTE'), false),
      'public', pg_catalog.has_function_privilege('public', routine.oid, 'EXECUTE')) AS made
  FROM pg_catalog.pg_proc AS routine
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
  LEFT JOIN pg_catalog.pg_roles AS grantee ON grantee.rolname = ${quoteLiteral(role)}
  WHERE ${where}`;
}

/**
 * Builds a query of the registrations of tables for merges, like `routines`. Excludes settings that users may change.
 */
export function registrations(where: string): string {
  return `SELECT control.schema_name AS schema, pg_catalog.format('registration %s', control.table_name) AS name,
    pg_catalog.jsonb_build_object('digest', pg_catalog.md5(pg_catalog.concat_ws('|', control.staging_name,
      control.window_function, control.facts)), 'role', false, 'public', false) AS made
  FROM cdc_management.merge_control AS control
  WHERE ${where}`;
}

/** Builds a query of relations, like `routines`. */
export function relations(role: string, where: string): string {
  return `SELECT namespace.nspname AS schema,
    pg_catalog.format('%s %s', CASE relation.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END,
      relation.relname) AS name,
    pg_catalog.jsonb_build_object(
      'digest', pg_catalog.md5(pg_catalog.concat_ws('|', relation.relkind, relation.relpersistence,
        (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', attribute.attname,
            pg_catalog.format_type(attribute.atttypid, attribute.atttypmod), attribute.attnotnull), ',' ORDER BY attribute.attname)
         FROM pg_catalog.pg_attribute AS attribute
         WHERE attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
           AND relation.relkind <> 'S'),
        CASE WHEN relation.relkind = 'v' THEN pg_catalog.pg_get_viewdef(relation.oid) END)),
      'role', coalesce(pg_catalog.has_table_privilege(grantee.oid, relation.oid, 'SELECT'), false),
      'public', pg_catalog.has_table_privilege('public', relation.oid, 'SELECT')) AS made
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  LEFT JOIN pg_catalog.pg_roles AS grantee ON grantee.rolname = ${quoteLiteral(role)}
  WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND ${where}`;
}

/** An object of a file of users that is in no definition. */
export interface UserObject {
  /** Schema of the object. Empty in the history if it is the file's, so that a tenant can be renamed. */
  readonly schema: string;
  readonly kind:
    | 'table'
    | 'view'
    | 'other'
    | 'routine'
    | 'index'
    | 'column'
    | 'trigger'
    | 'constraint'
    | 'policy';
  /** Name of the relation, or of the routine as in `routines`. */
  readonly name: string;
  /** Name of an index, column, trigger, constraint or policy of one of our tables. Empty otherwise. */
  readonly part: string;
}

/**
 * Builds a query of `UserObject`s with `is_new`, which is true if their transaction is not older than the age in the
 * relation `since`. A replaced view keeps its row in `pg_class`.
 *
 * @param where condition on `namespace`
 * @param tables names of our tables, of which only parts are listed
 */
export function userObjectsSince({
  where,
  tables,
  inOwn,
}: {
  readonly where: string;
  readonly tables: readonly string[];
  readonly inOwn: boolean;
}): string {
  const ours = `relation.relname IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(tables)}))`;
  const isNew = (alias: string) => `pg_catalog.age(${alias}.xmin) <= (SELECT age FROM since)`;
  return `
    WITH namespace AS (SELECT oid, ${inOwn ? "''" : 'nspname::text'} AS schema FROM pg_catalog.pg_namespace WHERE ${where}),
    relation AS (
      SELECT namespace.schema, relation.oid, relation.relname::text AS name, ${RELATION_KIND} AS kind, ${ours} AS is_ours,
        ${isNew('relation')} OR EXISTS (
          SELECT FROM pg_catalog.pg_rewrite AS rule WHERE rule.ev_class = relation.oid AND ${isNew('rule')}) AS is_new
      FROM namespace
      JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = namespace.oid
      WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    )
    SELECT schema, kind, name, '' AS part, is_new FROM relation WHERE NOT is_ours
    UNION ALL
    SELECT namespace.schema, 'routine',
      pg_catalog.format('routine %s(%s)', routine.proname, pg_catalog.pg_get_function_identity_arguments(routine.oid)),
      '', ${isNew('routine')}
    FROM namespace
    JOIN pg_catalog.pg_proc AS routine ON routine.pronamespace = namespace.oid
    UNION ALL
    SELECT relation.schema, part.kind, relation.name, part.name, part.is_new
    FROM relation
    CROSS JOIN LATERAL (
      SELECT 'index', own.relname::text, ${isNew('own')}
      FROM pg_catalog.pg_index AS index
      JOIN pg_catalog.pg_class AS own ON own.oid = index.indexrelid
      WHERE index.indrelid = relation.oid
      UNION ALL
      SELECT 'column', attname::text, ${isNew('attribute')} FROM pg_catalog.pg_attribute AS attribute
      WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
      UNION ALL
      SELECT 'trigger', tgname::text, ${isNew('trigger')} FROM pg_catalog.pg_trigger AS trigger
      WHERE tgrelid = relation.oid AND NOT tgisinternal
      UNION ALL
      SELECT 'constraint', conname::text, ${isNew('bound')} FROM pg_catalog.pg_constraint AS bound
      WHERE conrelid = relation.oid
      UNION ALL
      SELECT 'policy', polname::text, ${isNew('policy')} FROM pg_catalog.pg_policy AS policy
      WHERE polrelid = relation.oid
    ) AS part (kind, name, is_new)
    WHERE relation.is_ours`;
}

const RELATION_KIND = `CASE WHEN relation.relkind IN ('r', 'p') THEN 'table' WHEN relation.relkind = 'v' THEN 'view' ELSE 'other' END`;
