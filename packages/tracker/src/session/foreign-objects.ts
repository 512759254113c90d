import { buildRoutines, MANAGEMENT_SCHEMA, type ReplicatedTable } from '@cdc-migrations/table-defs';
import { quoteLiteral } from '@cdc-migrations/sql-text';
import { jsonLiteral } from './json-literal.ts';
import { belongsTo, type Migrations } from '../migrations/migrations.ts';
import { PLAIN_SETTINGS } from './plain-settings.ts';

/**
 * A schema or object of ours that another role owns or may create objects in. The owner of a function or of its schema
 * can replace it, and the new code runs with the rights of the role that applies or merges.
 */
export interface ForeignObject {
  readonly schema: string;
  /** Null for the schema itself. */
  readonly name: string | null;
  /** Owner and object, with what to do. */
  readonly message: string;
}

/** Error: objects that apply would create exist already and belong to another role. */
export class ForeignObjectsError extends Error {
  override readonly name = 'ForeignObjectsError';
  constructor(readonly objects: readonly ForeignObject[]) {
    const shown = objects.slice(0, SHOWN).map(({ message }) => message);
    const more = objects.length - shown.length;
    super([...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'));
  }
}

/** Maximum number of shown objects. Schemas come first, because one owner often has the whole schema. */
const SHOWN = 3;

/**
 * Builds a query of existing objects with the names of the files' objects, in any schema, that belong to roles without
 * trust.
 */
export function foreignObjects({ files }: Pick<Migrations, 'files'>): string {
  const names = files.flatMap(({ table }) => (table ? [table.name, table.names.staging] : []));
  const routines = files.flatMap(({ table }) => (table ? routineNames(table) : []));
  return PLAIN_SETTINGS + foreignQuery(listOf(names), listOf(routines));
}

/** SQLSTATE that `OWNERS_GUARD` raises. */
const FOREIGN = 'CD009';

/**
 * Statement before those that read or call objects of `cdc_management`. It fails if an untrusted role could have
 * created them. A role that could not apply, for example the sink's, trusts the roles that could.
 */
export const OWNERS_GUARD = `DO $guard$
DECLARE
  v_message text;
BEGIN
  IF pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') THEN
    SELECT pg_catalog.string_agg(CASE WHEN number <= ${SHOWN} THEN message ELSE pg_catalog.format('and %s more', number - ${SHOWN}) END, '; ')
    INTO v_message
    FROM (
      SELECT message, pg_catalog.row_number() OVER () AS number, pg_catalog.count(*) OVER () AS total
      FROM (${foreignQuery('(SELECT NULL)', '(SELECT NULL)')}) AS found
      WHERE schema = '${MANAGEMENT_SCHEMA}'
    ) AS found
    WHERE number <= ${SHOWN} OR number = total;
    IF v_message IS NOT NULL THEN
      RAISE EXCEPTION USING MESSAGE = v_message, ERRCODE = '${FOREIGN}';
    END IF;
  END IF;
END
$guard$;
`;

/**
 * Selects the objects that the files create in these schemas, and the schemas themselves. Skips the owner of a schema
 * with existing tables only, because they are its own.
 */
export function ofSchemas(
  objects: readonly ForeignObject[],
  { set, files }: Pick<Migrations, 'set' | 'files'>,
  schemas: readonly string[],
  tenantNames: readonly string[],
): readonly ForeignObject[] {
  const tenants = new Set(tenantNames);
  return objects.filter(({ schema, name }) => {
    if (schema === MANAGEMENT_SCHEMA) return true;
    if (!schemas.includes(schema)) return false;
    const here = files.filter((file) => file.table && belongsTo(file, schema, { set, tenants }));
    if (name === null) return here.some(({ category }) => category === 'tables');
    return here.some(({ category, table }) =>
      category === 'tables'
        ? name === table!.name
        : [table!.names.staging, ...routineNames(table!)].includes(name),
    );
  });
}

function routineNames(table: ReplicatedTable): readonly string[] {
  return Object.values(buildRoutines(table)).map(({ name }) => name);
}

function listOf(names: readonly string[]): string {
  return `(SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral([...new Set(names)])}))`;
}

/**
 * Builds the query. Trusted are the current role, superusers, and the owner of the database, unless that owner would
 * gain the rights of a superuser.
 */
function foreignQuery(relations: string, routines: string): string {
  const management = quoteLiteral(MANAGEMENT_SCHEMA);
  return `WITH own AS (
  SELECT role.oid, role.rolname, role.rolsuper, base.datdba
  FROM pg_catalog.pg_roles AS role
  JOIN pg_catalog.pg_database AS base ON base.datname = pg_catalog.current_database()
  WHERE role.rolname = current_user
), untrusted AS (
  SELECT role.oid, role.rolname,
    pg_catalog.format('expected %I or a superuser; look at what %I made there, then ', own.rolname, role.rolname) AS wanted
  FROM pg_catalog.pg_roles AS role
  CROSS JOIN own
  WHERE role.oid <> own.oid AND NOT role.rolsuper AND (own.rolsuper OR role.oid <> own.datdba)
), object (schema, name, class, oid, owner) AS (
  SELECT namespace.nspname, NULL, 'pg_namespace', namespace.oid,
    CASE WHEN namespace.nspowner = 'pg_database_owner'::regrole THEN own.datdba ELSE namespace.nspowner END
  FROM pg_catalog.pg_namespace AS namespace
  CROSS JOIN own
  UNION ALL
  SELECT namespace.nspname, relation.relname, 'pg_class', relation.oid, relation.relowner
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND (namespace.nspname = ${management} OR relation.relname IN ${relations})
  UNION ALL
  SELECT namespace.nspname, routine.proname, 'pg_proc', routine.oid, routine.proowner
  FROM pg_catalog.pg_proc AS routine
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = routine.pronamespace
  WHERE namespace.nspname = ${management} OR routine.proname IN ${routines}
  UNION ALL
  SELECT namespace.nspname, type.typname, 'pg_type', type.oid, type.typowner
  FROM pg_catalog.pg_type AS type
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = type.typnamespace
  LEFT JOIN pg_catalog.pg_class AS relation ON relation.oid = type.typrelid
  WHERE namespace.nspname = ${management} AND (type.typtype IN ('b', 'd', 'e', 'r') AND type.typcategory <> 'A' OR relation.relkind = 'c')
  UNION ALL
  SELECT namespace.nspname, operator.oprname, 'pg_operator', operator.oid, operator.oprowner
  FROM pg_catalog.pg_operator AS operator
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = operator.oprnamespace
  WHERE namespace.nspname = ${management}
)
SELECT object.schema::text AS schema, object.name::text AS name, pg_catalog.format('%s %s belongs to role %I, %sALTER %s %s OWNER TO %I, or drop it',
    known.type, known.identity, untrusted.rolname, untrusted.wanted, pg_catalog.upper(known.type), known.identity, own.rolname) AS message
FROM object
JOIN untrusted ON untrusted.oid = object.owner
CROSS JOIN own
CROSS JOIN LATERAL pg_catalog.pg_identify_object(('pg_catalog.' || object.class)::regclass, object.oid, 0) AS known
UNION ALL
SELECT namespace.nspname, NULL, pg_catalog.format('%s may create objects in schema %I; look at what is there, then REVOKE CREATE ON SCHEMA %2$I FROM %s',
    CASE granted.grantee WHEN 0 THEN 'everybody' ELSE 'role ' || pg_catalog.quote_ident(untrusted.rolname) END, namespace.nspname,
    coalesce(pg_catalog.quote_ident(untrusted.rolname), 'PUBLIC'))
FROM pg_catalog.pg_namespace AS namespace
CROSS JOIN LATERAL pg_catalog.aclexplode(namespace.nspacl) AS granted
LEFT JOIN untrusted ON untrusted.oid = granted.grantee
WHERE namespace.nspname = ${management} AND granted.privilege_type = 'CREATE'
  AND (granted.grantee = 0 OR untrusted.oid IS NOT NULL)
ORDER BY 1, 2 NULLS FIRST, 3`;
}

/**
 * Query of objects in `cdc_management` that depend on objects outside of it, except PostgreSQL's own. A view or
 * function that was created while a foreign operator matched better calls that operator ever since.
 */
export const FOREIGN_DEPENDENCIES = `${PLAIN_SETTINGS}WITH management AS (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ${quoteLiteral(MANAGEMENT_SCHEMA)}
), ours (class, oid, sub_class, sub_oid) AS (
  SELECT 'pg_catalog.pg_proc'::regclass, routine.oid, 'pg_catalog.pg_proc'::regclass, routine.oid
  FROM management JOIN pg_catalog.pg_proc AS routine ON routine.pronamespace = management.oid
  UNION ALL
  SELECT 'pg_catalog.pg_class'::regclass, relation.oid, part.class, part.oid
  FROM management
  JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = management.oid
  CROSS JOIN LATERAL (
    SELECT 'pg_catalog.pg_class'::regclass, relation.oid
    UNION ALL
    SELECT 'pg_catalog.pg_rewrite'::regclass, oid FROM pg_catalog.pg_rewrite WHERE ev_class = relation.oid
    UNION ALL
    SELECT 'pg_catalog.pg_attrdef'::regclass, oid FROM pg_catalog.pg_attrdef WHERE adrelid = relation.oid
    UNION ALL
    SELECT 'pg_catalog.pg_constraint'::regclass, oid FROM pg_catalog.pg_constraint WHERE conrelid = relation.oid
    UNION ALL
    SELECT 'pg_catalog.pg_trigger'::regclass, oid FROM pg_catalog.pg_trigger WHERE tgrelid = relation.oid
  ) AS part (class, oid)
  UNION ALL
  SELECT 'pg_catalog.pg_type'::regclass, type.oid, 'pg_catalog.pg_type'::regclass, type.oid
  FROM management JOIN pg_catalog.pg_type AS type ON type.typnamespace = management.oid
)
SELECT DISTINCT ${quoteLiteral(MANAGEMENT_SCHEMA)} AS schema, own.type || ' ' || own.identity AS name,
  pg_catalog.format('depends on %s %s', used.type, used.identity) AS message
FROM ours
JOIN pg_catalog.pg_depend AS depend ON depend.classid = ours.sub_class AND depend.objid = ours.sub_oid
CROSS JOIN LATERAL pg_catalog.pg_identify_object(depend.refclassid, depend.refobjid, depend.refobjsubid) AS used
CROSS JOIN LATERAL pg_catalog.pg_identify_object(ours.class, ours.oid, 0) AS own
WHERE used.schema NOT IN ('pg_catalog', ${quoteLiteral(MANAGEMENT_SCHEMA)})
ORDER BY 2, 3`;
