import { groupBy } from '@cdc-migrations/sql-text';
import type { MssqlSession, Row } from '../mssql/open-mssql.ts';
import { wantedTablesSql } from '../mssql/catalog-queries.ts';
import { PermissionDeniedError, SourceQueryError } from '../source-error.ts';
import type {
  CaptureInstance,
  CaptureRequest,
  CaptureState,
  CaptureTable,
} from './capture-state.ts';
import { readLsn } from './lsn.ts';

/** Values of `SERVERPROPERTY('EngineEdition')`. */
const EXPRESS = 4;
const AZURE_DATABASE = 5;

/** Reads the capture state of tables from SQL Server, in at most three round trips for any number of tables. */
export async function readCaptureState(
  session: MssqlSession,
  requests: readonly CaptureRequest[],
): Promise<CaptureState> {
  const selections = requests.map(({ schema, table }) => ({
    ...{ database: session.source.database, schema, tables: [table] },
    pattern: 'db-per-tenant' as const,
  }));
  const [[head] = [], [limit] = [], tables = [], columns = [], keys = []] = await session.batch(
    wantedTablesSql(selections) + STATE_SQL,
  );
  if (!head) throw new Error('sys.databases has no row of the current database');
  const edition = Number(head['engine_edition']);
  const isEnabled = isSet(head['is_cdc_enabled']);
  const instances = isEnabled ? await readInstances(session) : new Map<number, CaptureInstance[]>();
  const columnsOf = groupBy(columns, objectId);
  const keysOf = groupBy(keys, objectId);
  const bytes = limit === undefined ? undefined : Number(limit['bytes']);
  return {
    database: {
      name: String(head['name']),
      isEnabled,
      isReadOnly: isSet(head['is_read_only']),
      collation: String(head['collation_name']),
      hasSchema: Number(head['cdc_schemas']) > 0,
      hasUser: Number(head['cdc_users']) > 0,
    },
    login: { isSysadmin: isSet(head['is_sysadmin']), isOwner: isSet(head['is_owner']) },
    isExpress: edition === EXPRESS,
    agent: edition === AZURE_DATABASE ? 'not needed' : await readAgent(session),
    ...(bytes !== undefined && bytes >= 0 && { maxLargeObjectBytes: bytes }),
    tables: tables.map((row) => {
      const id = objectId(row);
      return buildTable(
        row,
        columnsOf.get(id) ?? [],
        keysOf.get(id) ?? [],
        instances.get(id) ?? [],
      );
    }),
  };
}

function buildTable(
  row: Row,
  columns: readonly Row[],
  keys: readonly Row[],
  instances: readonly CaptureInstance[],
): CaptureTable {
  return {
    schema: String(row['schema_name']),
    name: String(row['name']),
    isMemoryOptimized: isSet(row['is_memory_optimized']),
    isColumnstore: Number(row['columnstores']) > 0,
    columns: columns.map((column) => ({
      name: String(column['name']),
      type: String(column['type']).toLowerCase(),
      maxLengthBytes: Number(column['max_length']),
      ...(column['collation_name'] !== null && { collation: String(column['collation_name']) }),
      isComputed: isSet(column['is_computed']) || isSet(column['is_column_set']),
    })),
    primaryKey: keys
      .filter((key) => isSet(key['is_primary_key']))
      .map((key) => String(key['column_name'])),
    hasUniqueIndex: keys.length > 0,
    instances,
  };
}

/** Reads capture instances with their columns, by the object id of the source table. */
async function readInstances(
  session: MssqlSession,
): Promise<ReadonlyMap<number, readonly CaptureInstance[]>> {
  const [rows = []] = await session.batch(INSTANCES_SQL);
  const bySource = groupBy(rows, (row) => Number(row['source_object_id']));
  return new Map(
    [...bySource].map(([id, ofTable]) => {
      const byName = groupBy(ofTable, (row) => String(row['capture_instance']));
      return [
        id,
        [...byName].map(([name, captured]) => ({
          name,
          startLsn: readLsn(captured[0]!['start_lsn']) ?? '',
          columns: captured.map((row) => String(row['column_name'])),
        })),
      ];
    }),
  );
}

/** Reads if SQL Server Agent is running. Not every login has the right to ask. */
async function readAgent(session: MssqlSession): Promise<CaptureState['agent']> {
  try {
    const [[row] = []] = await session.batch(AGENT_SQL);
    if (!row) return 'unknown';
    return String(row['status_desc']) === 'Running' ? 'running' : 'stopped';
  } catch (error) {
    if (error instanceof PermissionDeniedError || error instanceof SourceQueryError)
      return 'unknown';
    throw error;
  }
}

function objectId(row: Row): number {
  return Number(row['object_id']);
}

function isSet(value: unknown): boolean {
  return value === true || value === 1;
}

/**
 * Queries for the tables in `#wanted`: database and login, the size limit of large objects, tables, columns, unique
 * keys.
 */
const STATE_SQL = `
SELECT d.name, d.is_cdc_enabled, d.is_read_only, d.collation_name,
  (SELECT COUNT(*) FROM sys.schemas WHERE name = N'cdc') AS cdc_schemas,
  (SELECT COUNT(*) FROM sys.database_principals WHERE name = N'cdc') AS cdc_users,
  IS_SRVROLEMEMBER('sysadmin') AS is_sysadmin, IS_MEMBER('db_owner') AS is_owner,
  CAST(SERVERPROPERTY('EngineEdition') AS int) AS engine_edition
FROM sys.databases AS d WHERE d.database_id = DB_ID();
SELECT CAST(value_in_use AS int) AS bytes FROM sys.configurations WHERE name = N'max text repl size (B)';
SELECT t.object_id, s.name AS schema_name, t.name, t.is_memory_optimized,
  (SELECT COUNT(*) FROM sys.indexes AS i WHERE i.object_id = t.object_id AND i.type = 5) AS columnstores
FROM sys.tables AS t
JOIN #wanted AS w ON w.object_id = t.object_id
JOIN sys.schemas AS s ON s.schema_id = t.schema_id;
SELECT c.object_id, c.name, COALESCE(b.name, y.name) AS type, c.max_length, c.collation_name, c.is_computed,
  c.is_column_set
FROM sys.columns AS c
JOIN #wanted AS w ON w.object_id = c.object_id
LEFT JOIN sys.types AS y ON y.user_type_id = c.user_type_id
LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
ORDER BY c.object_id, c.column_id;
SELECT i.object_id, i.is_primary_key, c.name AS column_name
FROM sys.indexes AS i
JOIN #wanted AS w ON w.object_id = i.object_id
JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = x.column_id
WHERE i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
ORDER BY i.object_id, i.index_id, x.key_ordinal;`;

const AGENT_SQL =
  "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE N'SQL Server Agent%';";

/**
 * Query for the instances of the tables in `#wanted`, with one row per captured column. It needs an enabled database.
 */
const INSTANCES_SQL = `
SELECT t.source_object_id, t.capture_instance, t.start_lsn, c.column_name
FROM cdc.change_tables AS t
JOIN #wanted AS w ON w.object_id = t.source_object_id
JOIN cdc.captured_columns AS c ON c.object_id = t.object_id
ORDER BY t.source_object_id, t.object_id, c.column_ordinal;`;
