import { quoteLiteral } from '@cdc-migrations/sql-text';
import { MANAGEMENT_SCHEMA, USER_CATEGORIES, type UserCategory } from '@cdc-migrations/table-defs';
import { jsonLiteral } from '../session/json-literal.ts';
import {
  registrations,
  relations,
  routines,
  type CreatedObject,
  type UserObject,
} from '../history/created-objects.ts';
import type { Migrations } from '../migrations/migrations.ts';
import type { Session } from '../session/session.ts';

/**
 * A routine, registration or bookkeeping object that differs from its file's result. Null means that it does not exist,
 * or that no file created it.
 */
export interface CreatedObjectDifference {
  readonly schema: string;
  /** `routine sp_merge_actor()`. */
  readonly name: string;
  readonly recorded: CreatedObject | null;
  readonly found: CreatedObject | null;
}

/** Scope of the comparison of routines: all of some schemas, and some of others. */
export interface RoutineScope {
  readonly schemas: readonly string[];
  readonly routines: readonly { readonly schema: string; readonly name: string }[];
}

/**
 * Compares routines with the state that history recorded when their files were applied. Runs one query in the target.
 */
export async function readCreatedObjectDifferences(
  session: Session,
  { set, role }: Pick<Migrations, 'set' | 'role'>,
  scope: RoutineScope,
): Promise<readonly CreatedObjectDifference[]> {
  const management = quoteLiteral(MANAGEMENT_SCHEMA);
  const all = [...scope.schemas, ...scope.routines.map(({ schema }) => schema)];
  const where = `namespace.nspname = ${management} OR namespace.nspname IN ${listOf(scope.schemas)}
    OR (namespace.nspname, routine.proname) IN (
      SELECT entry ->> 'schema', entry ->> 'name' FROM pg_catalog.jsonb_array_elements(${jsonLiteral(scope.routines)}) AS entry)`;
  return session.read<CreatedObjectDifference>(`WITH recorded AS (
  SELECT CASE category WHEN 'infrastructure' THEN ${management} ELSE schema_name END AS schema, entry.key AS name,
    entry.value AS made
  FROM cdc_management.migration_history
  CROSS JOIN LATERAL pg_catalog.jsonb_each(made) AS entry
  WHERE migration_set = ${quoteLiteral(set.name)} AND made IS NOT NULL AND category IN ('infrastructure', 'staging')
    AND (category = 'infrastructure' OR schema_name IN ${listOf(all)})
), found AS (
  ${routines(role, where)}
  UNION ALL
  ${relations(role, `namespace.nspname = ${management}`)}
  UNION ALL
  ${registrations(`EXISTS (SELECT FROM recorded
    WHERE recorded.schema = control.schema_name AND recorded.name = pg_catalog.format('registration %s', control.table_name))`)}
)
SELECT coalesce(recorded.schema, found.schema) AS schema, coalesce(recorded.name, found.name) AS name,
  recorded.made AS recorded, found.made AS found
FROM recorded
FULL JOIN found ON found.schema = recorded.schema AND found.name = recorded.name
WHERE recorded.made IS DISTINCT FROM found.made AND (found.made IS NOT NULL OR recorded.name NOT LIKE 'registration %')
ORDER BY 1, 2`);
}

/** An object and the file of users that created it. */
export interface CreatedUserObject extends UserObject {
  readonly category: UserCategory;
  /** Name of the file in the history. */
  readonly fileName: string;
  /** Path relative to the folder of the set. */
  readonly file: string;
}

/** Reads the objects of files of users in some schemas. */
export async function readCreatedUserObjects(
  session: Session,
  { set }: Pick<Migrations, 'set'>,
  schemas: readonly string[],
): Promise<readonly CreatedUserObject[]> {
  return session.read<CreatedUserObject>(`SELECT history.category, history.table_name AS "fileName", history.file, place.schema,
  object.kind, object.name, object.part
FROM cdc_management.migration_history AS history
CROSS JOIN LATERAL pg_catalog.jsonb_to_recordset(CASE WHEN history.category IN (${USER_CATEGORIES.map(quoteLiteral).join(', ')})
  THEN history.made -> 'objects' END) AS object (schema text, kind text, name text, part text)
CROSS JOIN LATERAL (SELECT CASE object.schema WHEN '' THEN history.schema_name ELSE object.schema END) AS place (schema)
WHERE history.migration_set = ${quoteLiteral(set.name)} AND place.schema IN ${listOf(schemas)}`);
}

function listOf(names: readonly string[]): string {
  return `(SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(names)}))`;
}
