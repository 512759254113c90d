import type { Sql } from 'postgres';

/** A relation in the catalog of a target. */
export interface RelationStructure {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'view' | 'materialized view' | 'sequence' | 'other';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  /** In the order of their numbers. */
  readonly columns: readonly ColumnStructure[];
  readonly primaryKey: IndexStructure | null;
  /** Sorted by name, without the primary key's index. */
  readonly indexes: readonly IndexStructure[];
  /** Names without constraint triggers. */
  readonly triggers: readonly string[];
}

export interface ColumnStructure {
  readonly name: string;
  /** Spelled as by `format_type`. */
  readonly type: string;
  readonly nullable: boolean;
  /** Expression as spelled by `pg_get_expr`. */
  readonly default: string | null;
}

export interface IndexStructure {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
  /** Spelled as by `pg_get_indexdef`. */
  readonly definition: string;
}

/** Reads all relations of these schemas with their indexes, sorted by schema and name. */
export async function readStructure(
  sql: Sql,
  schemas: readonly string[],
): Promise<readonly RelationStructure[]> {
  const rows = await sql<{ relation: CatalogRelation }[]>`
    SELECT jsonb_build_object(
      'schema', n.nspname,
      'name', c.relname,
      'kind', CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence'
                WHEN 'm' THEN 'materialized view' ELSE 'other' END,
      'persistence', CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged'
                       ELSE 'temporary' END,
      'columns', coalesce(columns.list, '[]'),
      'indexes', coalesce(indexes.list, '[]'),
      'triggers', coalesce(triggers.list, '[]')
    ) AS relation
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'nullable', NOT a.attnotnull,
        'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid)
      ) ORDER BY a.attnum) AS list
      FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) columns ON true
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(jsonb_build_object(
        'name', ic.relname,
        'columns', (SELECT jsonb_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) ORDER BY k)
                    FROM generate_series(1, i.indnkeyatts) k),
        'unique', i.indisunique,
        'primary', i.indisprimary,
        'definition', pg_catalog.pg_get_indexdef(i.indexrelid)
      ) ORDER BY ic.relname COLLATE "C") AS list
      FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
      WHERE i.indrelid = c.oid
    ) indexes ON true
    LEFT JOIN LATERAL (
      SELECT jsonb_agg(t.tgname ORDER BY t.tgname COLLATE "C") AS list
      FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
    ) triggers ON true
    WHERE n.nspname IN ${sql(schemas)} AND c.relkind NOT IN ('i', 'I', 'c')
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;
  return rows.map(({ relation }) => ({
    ...relation,
    primaryKey: relation.indexes.filter(({ primary }) => primary).map(toIndex)[0] ?? null,
    indexes: relation.indexes.filter(({ primary }) => !primary).map(toIndex),
  }));
}

interface CatalogRelation extends Omit<RelationStructure, 'primaryKey' | 'indexes'> {
  readonly indexes: readonly CatalogIndex[];
}

interface CatalogIndex extends IndexStructure {
  readonly primary: boolean;
}

/** Removes the quotes of `pg_get_indexdef` from column names. */
function toIndex({ name, columns, unique, definition }: CatalogIndex): IndexStructure {
  const unquoted = columns.map((column) =>
    column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column,
  );
  return { name, columns: unquoted, unique, definition };
}
