import type { Query } from '../postgres/open-postgres.ts';
import type { CaptureRequest } from '../cdc/capture-state.ts';

/** A table to add to a publication. */
export interface PublicationRequest extends CaptureRequest {
  /** Key columns of each definition of the table. The list is empty for a definition without a key. */
  readonly keys: readonly (readonly string[])[];
}

/** Names of the publication and the slot for a database. Slot names are unique per server. */
export interface CarrierNames {
  readonly publication: string;
  readonly slot: string;
}

/** State of logical replication in a PostgreSQL database. */
export interface PublicationState {
  readonly database: {
    readonly name: string;
    readonly isStandby: boolean;
    readonly walLevel: string;
    /** `-1` for no limit. */
    readonly maxSlotWalKeepSize: string;
    readonly maxSlots: number;
    readonly usedSlots: number;
    readonly maxSenders: number;
    readonly usedSenders: number;
  };
  readonly login: {
    readonly name: string;
    readonly isSuperuser: boolean;
    readonly mayReplicate: boolean;
    readonly mayCreate: boolean;
  };
  readonly publication?: Publication;
  readonly slot?: Slot;
  readonly tables: readonly PublishedTable[];
}

export interface Publication {
  readonly owner: string;
  readonly isOwned: boolean;
  readonly allTables: boolean;
  readonly viaRoot: boolean;
  /** Operations that the publication does not carry. */
  readonly missing: readonly string[];
  /** Tables that the publication names. */
  readonly members: readonly PublicationMember[];
}

export interface PublicationMember {
  readonly schema: string;
  readonly table: string;
  /** Published columns, null for all. */
  readonly columns: readonly string[] | null;
  readonly hasFilter: boolean;
}

export interface Slot {
  readonly isLogicalHere: boolean;
  readonly database: string | null;
  readonly plugin: string | null;
  readonly isActive: boolean;
  /** True if WAL after the slot's position is lost. */
  readonly isLost: boolean;
  /** WAL retained for the slot, as text with a unit. */
  readonly retained: string;
}

export interface PublishedTable {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly isOwned: boolean;
  readonly isPartitioned: boolean;
  readonly isPermanent: boolean;
  readonly maySelect: boolean;
  readonly mayUseSchema: boolean;
  /** True if row-level security hides rows from the login. */
  readonly hidesRows: boolean;
  /** True if a publication carries the schema of the table. */
  readonly isInSchema: boolean;
  readonly columns: readonly string[];
  /** The table itself, or its partitions with rows. */
  readonly parts: readonly TablePart[];
}

export interface TablePart {
  readonly schema: string;
  readonly name: string;
  readonly isOwned: boolean;
  readonly identity: 'default' | 'nothing' | 'full' | 'index';
  readonly primaryKey: readonly string[];
  /** Unique indexes that can be the replica identity, and the current one. */
  readonly indexes: readonly IdentityIndex[];
}

export interface IdentityIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isIdentity: boolean;
}

const DATABASE_SQL = `
SELECT current_database() AS name, pg_is_in_recovery() AS "isStandby",
  current_setting('wal_level') AS "walLevel", current_setting('max_slot_wal_keep_size') AS "maxSlotWalKeepSize",
  current_setting('max_replication_slots')::int AS "maxSlots",
  (SELECT count(*)::int FROM pg_replication_slots) AS "usedSlots",
  current_setting('max_wal_senders')::int AS "maxSenders",
  (SELECT count(*)::int FROM pg_stat_replication) AS "usedSenders",
  r.rolname AS login, r.rolsuper AS "isSuperuser",
  r.rolsuper OR r.rolreplication OR EXISTS (
    SELECT FROM pg_roles AS cloud WHERE cloud.rolname = 'rds_replication' AND pg_has_role(r.oid, cloud.oid, 'USAGE')
  ) AS "mayReplicate",
  has_database_privilege(current_database(), 'CREATE') AS "mayCreate"
FROM pg_roles AS r WHERE r.rolname = current_user`;

const PUBLICATION_SQL = `
SELECT pg_get_userbyid(p.pubowner) AS owner, pg_has_role(p.pubowner, 'USAGE') AS "isOwned",
  p.puballtables AS "allTables", p.pubviaroot AS "viaRoot",
  to_json(array_remove(ARRAY[
    CASE WHEN NOT p.pubinsert THEN 'insert' END, CASE WHEN NOT p.pubupdate THEN 'update' END,
    CASE WHEN NOT p.pubdelete THEN 'delete' END, CASE WHEN NOT p.pubtruncate THEN 'truncate' END
  ], NULL)) AS missing,
  COALESCE((
    SELECT json_agg(json_build_object(
      'schema', n.nspname, 'table', c.relname, 'hasFilter', m.prqual IS NOT NULL,
      'columns', (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
        WHERE a.attrelid = m.prrelid AND a.attnum = ANY (m.prattrs))
    ) ORDER BY n.nspname, c.relname)
    FROM pg_publication_rel AS m
    JOIN pg_class AS c ON c.oid = m.prrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE m.prpubid = p.oid
  ), '[]') AS members
FROM pg_publication AS p WHERE p.pubname = $1::text`;

const SLOT_SQL = `
SELECT s.database, s.plugin, s.active AS "isActive",
  s.slot_type = 'logical' AND s.database = current_database() AND s.plugin = 'pgoutput' AS "isLogicalHere",
  s.wal_status IS NOT DISTINCT FROM 'lost' AS "isLost",
  pg_size_pretty(CASE WHEN pg_is_in_recovery() THEN 0 ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) END)
    AS retained
FROM pg_replication_slots AS s WHERE s.slot_name = $1::text`;

/** Conditions and queries for an index in `ALTER TABLE … REPLICA IDENTITY USING INDEX`. */
const TABLES_SQL = `
WITH RECURSIVE wanted AS (
  SELECT c.oid, c.relkind, c.relname, c.relowner, c.relpersistence, n.oid AS schema_oid, n.nspname
  FROM jsonb_to_recordset($1::text::jsonb) AS w (s text, t text)
  JOIN pg_namespace AS n ON n.nspname = w.s
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.t
  WHERE c.relkind IN ('r', 'p')
), part AS (
  SELECT w.oid AS root, w.oid, w.relkind FROM wanted AS w
  UNION ALL
  SELECT p.root, i.inhrelid, c.relkind
  FROM part AS p
  JOIN pg_inherits AS i ON i.inhparent = p.oid
  JOIN pg_class AS c ON c.oid = i.inhrelid
  WHERE p.relkind = 'p'
)
SELECT w.nspname AS schema, w.relname AS name, pg_get_userbyid(w.relowner) AS owner,
  pg_has_role(w.relowner, 'USAGE') AS "isOwned", w.relkind = 'p' AS "isPartitioned",
  w.relpersistence = 'p' AS "isPermanent", has_any_column_privilege(w.oid, 'SELECT') AS "maySelect",
  has_schema_privilege(w.schema_oid, 'USAGE') AS "mayUseSchema", row_security_active(w.oid) AS "hidesRows",
  EXISTS (
    SELECT FROM pg_publication_namespace AS s JOIN pg_publication AS p ON p.oid = s.pnpubid
    WHERE s.pnnspid = w.schema_oid AND p.pubname = $2::text
  ) AS "isInSchema",
  (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
    WHERE a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  COALESCE((
    SELECT json_agg(json_build_object(
      'schema', n.nspname, 'name', c.relname, 'isOwned', pg_has_role(c.relowner, 'USAGE'),
      'identity', CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' ELSE 'index' END,
      'primaryKey', COALESCE((SELECT x.columns FROM keys AS x WHERE x.indisprimary), '[]'),
      'indexes', COALESCE((
        SELECT json_agg(json_build_object('name', x.relname, 'columns', x.columns, 'isIdentity', x.indisreplident)
          ORDER BY x.relname)
        FROM keys AS x WHERE x.is_not_null
      ), '[]')
    ) ORDER BY n.nspname, c.relname)
    FROM part AS p
    JOIN pg_class AS c ON c.oid = p.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE p.root = w.oid AND p.relkind = 'r'
  ), '[]') AS parts
FROM wanted AS w
ORDER BY w.nspname, w.relname`;

/** Query for the unique indexes of the table or partition `c`. */
const KEYS = `(
  SELECT k.relname, i.indisprimary, i.indisreplident,
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
      WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) AS columns,
    (SELECT bool_and(a.attnotnull) FROM pg_attribute AS a
      WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey[0:i.indnkeyatts - 1])) AS is_not_null
  FROM pg_index AS i
  JOIN pg_class AS k ON k.oid = i.indexrelid
  WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indexprs IS NULL
    AND i.indpred IS NULL
)`;

interface DatabaseRow extends Omit<PublicationState['database'], 'name'> {
  readonly name: string;
  readonly login: string;
  readonly isSuperuser: boolean;
  readonly mayReplicate: boolean;
  readonly mayCreate: boolean;
}

/** Reads the replication state of tables from PostgreSQL, with four queries for any number of tables. */
export async function readPublicationState(
  query: Query,
  requests: readonly PublicationRequest[],
  { publication, slot }: CarrierNames,
): Promise<PublicationState> {
  const wanted = JSON.stringify(requests.map(({ schema, table }) => ({ s: schema, t: table })));
  const [[head], [found], [foundSlot], tables] = await Promise.all([
    query<DatabaseRow>(DATABASE_SQL),
    query<Publication>(PUBLICATION_SQL, [publication]),
    query<Slot>(SLOT_SQL, [slot]),
    query<PublishedTable>(
      TABLES_SQL.replaceAll('keys AS x', () => `${KEYS} AS x`),
      [wanted, publication],
    ),
  ]);
  if (!head) throw new Error('pg_roles has no row of the current user');
  const { login, isSuperuser, mayReplicate, mayCreate, ...database } = head;
  return {
    database,
    login: { name: login, isSuperuser, mayReplicate, mayCreate },
    ...(found && { publication: found }),
    ...(foundSlot && { slot: foundSlot }),
    tables,
  };
}
