import { quoteLiteral } from '@cdc-migrations/sql-text';
import type { RelationStructure } from '@cdc-migrations/table-defs';
import { jsonLiteral } from '../session/json-literal.ts';
import type { Session } from '../session/session.ts';

/** A structure and the relations that have it, in several schemas. */
export interface RelationGroup extends RelationStructure {
  readonly schemas: readonly string[];
  /** Columns of the partition key. Empty for a table without partitions. */
  readonly partitionKey: readonly string[];
}

/** Relations to read: all of some schemas, and some of others. */
export interface StructureScope {
  readonly schemas: readonly string[];
  readonly tables: readonly { readonly schema: string; readonly name: string }[];
  /** Role whose INSERT privilege is read. */
  readonly role: string;
}

/**
 * Reads any number of relations by one query. Identical relations are described once with all their schemas, so the
 * size of the result depends on differences and not on the number of schemas. Columns are compared by the sum of 64-bit
 * hashes, which needs no sorting.
 */
export async function readStructure(
  session: Pick<Session, 'read'>,
  scope: StructureScope,
): Promise<readonly RelationGroup[]> {
  const rows = await session.read<{ relation: RelationGroup }>(structureQuery(scope));
  return rows.map(({ relation }) => relation);
}

function structureQuery(scope: StructureScope): string {
  return `WITH ${wantedRelations(scope)}, ${SIGNS}, ${ALIKE}
${DESCRIPTION}`;
}

/** Selects the relations of a scope. A partition is a part of its table. */
function wantedRelations({ schemas, tables, role }: StructureScope): string {
  return `grantee AS (
  SELECT (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${quoteLiteral(role)}) AS oid
), wanted AS MATERIALIZED (
  SELECT relation.oid, namespace.nspname, relation.relname, relation.relkind, relation.relpersistence,
    relation.relkind <> 'S' AND coalesce(pg_catalog.has_table_privilege(grantee.oid, relation.oid, 'INSERT'), false) AS can_insert
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  CROSS JOIN grantee
  WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT relation.relispartition AND (
    namespace.nspname IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(schemas)}))
    OR (namespace.nspname, relation.relname) IN (
      SELECT entry ->> 'schema', entry ->> 'name' FROM pg_catalog.jsonb_array_elements(${jsonLiteral(tables)}) AS entry))
)`;
}

/**
 * SQL of a default without its table, because PostgreSQL would wait for the table's lock. Only generated columns refer
 * to columns of it.
 */
const SPELLED_DEFAULT = `pg_catalog.pg_get_expr(initial.adbin,
      CASE WHEN attribute.attgenerated = '' THEN 0 ELSE initial.adrelid END)`;

/** Properties that identical relations share. */
const SIGNS = `of_columns AS (
  SELECT attribute.attrelid AS oid, bit_xor(pg_catalog.hash_record_extended(ROW(attribute.attnum, attribute.attname,
    attribute.atttypid, attribute.atttypmod, attribute.attnotnull, attribute.attgenerated, attribute.attidentity,
    CASE WHEN attribute.atthasdef THEN ${SPELLED_DEFAULT} END), 0)) AS sign
  FROM pg_catalog.pg_attribute AS attribute
  JOIN wanted ON wanted.oid = attribute.attrelid
  LEFT JOIN pg_catalog.pg_attrdef AS initial ON initial.adrelid = attribute.attrelid AND initial.adnum = attribute.attnum
  WHERE attribute.attnum > 0 AND NOT attribute.attisdropped
  GROUP BY attribute.attrelid
), of_indexes AS (
  SELECT index.indrelid AS oid, pg_catalog.string_agg(pg_catalog.concat_ws(':', relation.relname, index.indkey,
    index.indisprimary, index.indisunique, index.indnullsnotdistinct, index.indisvalid, relation.relam,
    pg_catalog.pg_get_expr(index.indpred, index.indrelid), pg_catalog.pg_get_expr(index.indexprs, index.indrelid)),
    ',' ORDER BY relation.relname) AS sign
  FROM pg_catalog.pg_index AS index
  JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
  WHERE index.indrelid IN (SELECT oid FROM wanted)
  GROUP BY index.indrelid
), of_triggers AS (
  SELECT tgrelid AS oid, pg_catalog.string_agg(pg_catalog.concat_ws(':', tgname, tgenabled, tgtype, tgfoid, tgargs), ',' ORDER BY tgname) AS sign
  FROM pg_catalog.pg_trigger
  WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM wanted)
  GROUP BY tgrelid
), of_constraints AS (
  SELECT conrelid AS oid, pg_catalog.jsonb_agg(conname ORDER BY conname) AS names
  FROM pg_catalog.pg_constraint
  WHERE contype IN ('c', 'f') AND conrelid IN (SELECT oid FROM wanted)
  GROUP BY conrelid
), of_partitions AS (
  SELECT partrelid AS oid, pg_catalog.jsonb_agg(attname ORDER BY attnum) AS key
  FROM pg_catalog.pg_partitioned_table
  JOIN pg_catalog.pg_attribute ON attrelid = partrelid AND attnum = ANY (partattrs::smallint[])
  WHERE partrelid IN (SELECT oid FROM wanted)
  GROUP BY partrelid
)`;

/** Identical relations with one representative. */
const ALIKE = `alike AS (
  SELECT wanted.relname, wanted.relkind, wanted.relpersistence, wanted.can_insert, of_constraints.names,
    of_partitions.key, min(wanted.oid::bigint)::oid AS oid, pg_catalog.jsonb_agg(wanted.nspname ORDER BY wanted.nspname) AS schemas
  FROM wanted
  LEFT JOIN of_columns USING (oid)
  LEFT JOIN of_indexes USING (oid)
  LEFT JOIN of_triggers USING (oid)
  LEFT JOIN of_constraints USING (oid)
  LEFT JOIN of_partitions USING (oid)
  GROUP BY wanted.relname, wanted.relkind, wanted.relpersistence, wanted.can_insert, of_columns.sign, of_indexes.sign,
    of_triggers.sign, of_constraints.names, of_partitions.key
)`;

/** SQL of a `RelationGroup`. */
const DESCRIPTION = `SELECT pg_catalog.jsonb_build_object(
  'name', alike.relname,
  'kind', CASE WHEN alike.relkind IN ('r', 'p') THEN 'table' WHEN alike.relkind = 'v' THEN 'view' ELSE 'other' END,
  'persistence', CASE alike.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
  'canInsert', alike.can_insert,
  'schemas', alike.schemas,
  'constraints', coalesce(alike.names, '[]'),
  'partitionKey', coalesce(alike.key, '[]'),
  'columns', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', attribute.attname,
      'type', pg_catalog.format_type(attribute.atttypid, attribute.atttypmod), 'nullable', NOT attribute.attnotnull,
      'default', ${SPELLED_DEFAULT}) ORDER BY attribute.attnum)
    FROM pg_catalog.pg_attribute AS attribute
    LEFT JOIN pg_catalog.pg_attrdef AS initial ON initial.adrelid = attribute.attrelid AND initial.adnum = attribute.attnum
    WHERE attribute.attrelid = alike.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped), '[]'),
  'indexes', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', relation.relname, 'primary', index.indisprimary,
      'unique', index.indisunique, 'nullsNotDistinct', index.indnullsnotdistinct, 'valid', index.indisvalid,
      'method', (SELECT amname FROM pg_catalog.pg_am WHERE oid = relation.relam),
      'where', pg_catalog.pg_get_expr(index.indpred, index.indrelid),
      'columns', (
        SELECT pg_catalog.jsonb_agg(coalesce(attribute.attname::text, '(expression)') ORDER BY part.position)
        FROM pg_catalog.unnest(index.indkey::smallint[]) WITH ORDINALITY AS part (attnum, position)
        LEFT JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = index.indrelid AND attribute.attnum = part.attnum
      )) ORDER BY relation.relname)
    FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS relation ON relation.oid = index.indexrelid
    WHERE index.indrelid = alike.oid), '[]'),
  'triggers', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', tgname, 'type', tgtype,
      'fires', CASE tgenabled WHEN 'A' THEN 'always' WHEN 'O' THEN 'origin' WHEN 'R' THEN 'replica' ELSE 'never' END,
      'function', tgfoid::regproc::text, 'arguments', pg_catalog.encode(tgargs, 'hex')) ORDER BY tgname)
    FROM pg_catalog.pg_trigger
    WHERE tgrelid = alike.oid AND NOT tgisinternal), '[]')
) AS relation
FROM alike
ORDER BY alike.relname, alike.oid`;
