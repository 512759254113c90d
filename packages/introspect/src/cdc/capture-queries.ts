/** For the tables in `#wanted`: database and login, the limit of large objects, tables, columns, unique keys. */
export const STATE_SQL = `
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

export const AGENT_SQL =
  "SELECT status_desc FROM sys.dm_server_services WHERE servicename LIKE N'SQL Server Agent%';";

/** Instances of the tables in `#wanted`, a row for each captured column; only where the database is enabled. */
export const INSTANCES_SQL = `
SELECT t.source_object_id, t.capture_instance, t.start_lsn, c.column_name
FROM cdc.change_tables AS t
JOIN #wanted AS w ON w.object_id = t.source_object_id
JOIN cdc.captured_columns AS c ON c.object_id = t.object_id
ORDER BY t.source_object_id, t.object_id, c.column_ordinal;`;
