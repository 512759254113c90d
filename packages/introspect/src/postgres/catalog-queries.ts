/**
 * CTE of the selected tables. `$1` is `[{"s": "public", "t": "users"}]`. Partitioned tables and their partitions are
 * tables.
 */
const WANTED = `wanted AS (
  SELECT c.oid, n.nspname, c.relname
  FROM jsonb_to_recordset($1::text::jsonb) AS w (s text, t text)
  JOIN pg_namespace n ON n.nspname = w.s
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.t
  WHERE c.relkind IN ('r', 'p')
)`;

/** Condition: a publication carries the table `w`. */
const PUBLISHED = `(
  EXISTS (SELECT FROM pg_publication WHERE puballtables)
  OR EXISTS (SELECT FROM pg_publication_rel p WHERE p.prrelid = w.oid)
  OR EXISTS (SELECT FROM pg_publication_namespace p JOIN pg_class c ON c.relnamespace = p.pnnspid WHERE c.oid = w.oid)
)`;

const COLUMNS = `pg_attribute a
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation o ON o.oid = a.attcollation AND a.attcollation <> t.typcollation`;

/** Renders a query for the column names of an index or a constraint, in its order, as JSON. */
const names = (relation: string, numbers: string, count: string): string => `(
  SELECT json_agg(k_a.attname ORDER BY k.place)
  FROM unnest(${numbers}) WITH ORDINALITY AS k (attnum, place)
  JOIN pg_attribute k_a ON k_a.attrelid = ${relation} AND k_a.attnum = k.attnum
  WHERE k.place <= ${count}
)`;

const INDEX_COLUMNS = names('i.indrelid', 'i.indkey', 'i.indnkeyatts');
const FOREIGN_COLUMNS = names('f.conrelid', 'f.conkey', 'cardinality(f.conkey)');
const REFERRED_COLUMNS = names('f.confrelid', 'f.confkey', 'cardinality(f.confkey)');

/**
 * Condition for indexes that identify rows after every event. It excludes indexes on expressions, invalid ones, and
 * deferrable ones. Two rows can swap deferrable keys in one transaction, and the events of that transaction would then
 * delete one of them.
 */
const UNIQUE = 'i.indisunique AND i.indisvalid AND i.indimmediate AND i.indexprs IS NULL';

/** Excludes constraints that partitions inherit from their table. */
const FOREIGN = "f.contype = 'f' AND f.conparentid = 0";

/** Query for a hash per schema over everything in its catalog. It uses names, not ids. */
export const FINGERPRINT_SQL = `WITH ${WANTED}
SELECT w.nspname AS schema,
  encode(sha256(convert_to(string_agg(x.line, E'\\n' ORDER BY x.line COLLATE "C"), 'UTF8')), 'hex') AS hash
FROM wanted w CROSS JOIN LATERAL (
  SELECT json_build_array('t', w.relname, ${PUBLISHED})::text AS line
  UNION ALL
  SELECT json_build_array('c', w.relname, row_number() OVER (ORDER BY a.attnum), a.attname,
    format_type(a.atttypid, a.atttypmod), a.attndims, t.typtype, format_type(t.typbasetype, t.typtypmod), t.typndims,
    a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), o.collname)::text
  FROM ${COLUMNS}
  WHERE a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT json_build_array('i', w.relname, c.relname, i.indisprimary, ${INDEX_COLUMNS},
    pg_get_expr(i.indpred, i.indrelid))::text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = w.oid AND ${UNIQUE}
  UNION ALL
  SELECT json_build_array('f', w.relname, f.conname, ${FOREIGN_COLUMNS}, n.nspname, c.relname, ${REFERRED_COLUMNS})::text
  FROM pg_constraint f JOIN pg_class c ON c.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE f.conrelid = w.oid AND ${FOREIGN}
) x
GROUP BY w.nspname`;

export const TABLES_SQL = `WITH ${WANTED}
SELECT w.oid, w.nspname AS schema, w.relname AS name, ${PUBLISHED} AS published FROM wanted w`;

export const COLUMNS_SQL = `WITH ${WANTED}
SELECT a.attrelid AS table, a.attname AS name, a.atttypid AS type, a.atttypmod AS modifier, a.attndims AS dimensions,
  a.attnotnull AS not_null, a.attidentity <> '' AS identity, a.attgenerated <> '' AS generated,
  pg_get_expr(d.adbin, d.adrelid) AS expression, o.collname AS collation
FROM wanted w JOIN ${COLUMNS.replace('pg_attribute a', 'pg_attribute a ON a.attrelid = w.oid')}
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum`;

/** Query for the types of the columns, with the element types of arrays and the base types of domains. */
export const TYPES_SQL = `WITH RECURSIVE ${WANTED}, used (oid) AS (
  SELECT a.atttypid FROM wanted w JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT inner_type.oid
  FROM used u JOIN pg_type t ON t.oid = u.oid
  JOIN pg_type inner_type
    ON inner_type.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typcategory = 'A' THEN t.typelem END
)
SELECT t.oid, format_type(t.oid, NULL) AS name, n.nspname || '.' || t.typname AS declared, t.typname AS bare,
  CASE WHEN t.typtype = 'd' THEN 'domain' WHEN t.typtype = 'e' THEN 'enum' WHEN t.typcategory = 'A' THEN 'array'
    ELSE 'base' END AS kind,
  CASE WHEN t.typtype = 'd' THEN t.typbasetype WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END AS inner,
  t.typtypmod AS modifier, t.typndims AS dimensions, t.typnotnull AS not_null
FROM used u JOIN pg_type t ON t.oid = u.oid JOIN pg_namespace n ON n.oid = t.typnamespace`;

export const INDEXES_SQL = `WITH ${WANTED}
SELECT i.indrelid AS table, c.relname AS name, i.indisprimary AS primary, ${INDEX_COLUMNS} AS columns,
  pg_get_expr(i.indpred, i.indrelid) AS filter
FROM wanted w JOIN pg_index i ON i.indrelid = w.oid JOIN pg_class c ON c.oid = i.indexrelid
WHERE ${UNIQUE}`;

export const FOREIGN_KEYS_SQL = `WITH ${WANTED}
SELECT f.conrelid AS table, f.conname AS name, ${FOREIGN_COLUMNS} AS columns, n.nspname AS schema,
  c.relname AS referred, ${REFERRED_COLUMNS} AS referred_columns
FROM wanted w JOIN pg_constraint f ON f.conrelid = w.oid
JOIN pg_class c ON c.oid = f.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE ${FOREIGN}`;

/** Query for messages: relations that the user may have meant. */
export const VISIBLE_SQL = `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
