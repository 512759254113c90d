import { jsonLiteral } from '../session/json-literal.ts';
import { readIfThere } from '../session/read-if-there.ts';
import type { Session } from '../session/session.ts';

/** Estimated size of a table with its partitions. */
export interface TableSize {
  /** Undefined until the table was analyzed. */
  readonly rows: number | undefined;
  /** Size with indexes and large values. */
  readonly bytes: number | undefined;
}

/** Sizes of tables, and the size limit of rewrites. */
export interface Sizes {
  readonly find: (schema: string, name: string) => TableSize | undefined;
  /** Limit in bytes. A larger table is rewritten only with permission. */
  readonly rewriteLimitBytes: number;
}

interface SizeRow {
  readonly schema: string;
  readonly name: string;
  readonly rows: number | null;
  readonly bytes: number | null;
}

/** Reads the sizes of tables from the catalog's statistics, without a lock. */
export async function readSizes(
  session: Session,
  tables: readonly { readonly schema: string; readonly name: string }[],
): Promise<Sizes> {
  const [rows, limit] = await Promise.all([
    session.read<SizeRow>(sizesQuery(tables)),
    readIfThere(() =>
      session.read<{ readonly bytes: number }>(
        `SELECT cdc_management.setting_of('rewrite_limit_bytes')::double precision AS bytes`,
      ),
    ),
  ]);
  const sizes = new Map(
    rows.map(({ schema, name, rows: count, bytes }) => [
      `${schema}\0${name}`,
      { rows: count ?? undefined, bytes: bytes ?? undefined },
    ]),
  );
  return {
    find: (schema, name) => sizes.get(`${schema}\0${name}`),
    rewriteLimitBytes: limit?.[0]?.bytes ?? Infinity,
  };
}

function sizesQuery(tables: readonly { readonly schema: string; readonly name: string }[]): string {
  return `WITH RECURSIVE part AS (
  SELECT relation.oid, namespace.nspname AS schema, relation.relname AS name
  FROM pg_catalog.pg_class AS relation
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
  WHERE relation.relkind IN ('r', 'p') AND (namespace.nspname, relation.relname) IN (
    SELECT entry ->> 'schema', entry ->> 'name' FROM pg_catalog.jsonb_array_elements(${jsonLiteral(tables)}) AS entry)
  UNION ALL
  SELECT pg_inherits.inhrelid, part.schema, part.name
  FROM part
  JOIN pg_catalog.pg_inherits ON pg_inherits.inhparent = part.oid
), leaf AS (
  SELECT part.schema, part.name, relation.reltuples, relation.relpages + coalesce(toast.relpages, 0) + coalesce((
    SELECT sum(indexed.relpages) FROM pg_catalog.pg_index AS index
    JOIN pg_catalog.pg_class AS indexed ON indexed.oid = index.indexrelid
    WHERE index.indrelid = part.oid), 0) AS pages
  FROM part
  JOIN pg_catalog.pg_class AS relation ON relation.oid = part.oid AND relation.relkind = 'r'
  LEFT JOIN pg_catalog.pg_class AS toast ON toast.oid = relation.reltoastrelid
)
SELECT schema, name,
  CASE WHEN min(reltuples) >= 0 THEN sum(reltuples)::double precision END AS rows,
  CASE WHEN min(reltuples) >= 0
    THEN (sum(pages) * pg_catalog.current_setting('block_size')::integer)::double precision END AS bytes
FROM leaf
GROUP BY schema, name`;
}
