import { quoteText } from '../translate/typed-sql.ts';
import { parseColumns, type SystemView } from './system-view.ts';

const schemaName = (of: (view: string) => string, id: string): string =>
  `(SELECT s.name FROM ${of('sys.schemas')} AS s WHERE s.schema_id = ${id})`;

const TABLES: SystemView = {
  name: 'INFORMATION_SCHEMA.TABLES',
  scope: 'database',
  columns: parseColumns(
    'TABLE_CATALOG sysname, TABLE_SCHEMA sysname, TABLE_NAME sysname, TABLE_TYPE varchar(10)',
  ),
  indexed: [],
  select: (of, database) =>
    `SELECT ${quoteText(database)} AS TABLE_CATALOG, ${schemaName(of, 't.schema_id')} AS TABLE_SCHEMA, t.name AS TABLE_NAME, ` +
    `'BASE TABLE' AS TABLE_TYPE FROM ${of('sys.tables')} AS t`,
};

const COLUMNS: SystemView = {
  name: 'INFORMATION_SCHEMA.COLUMNS',
  scope: 'database',
  columns: parseColumns(
    `TABLE_CATALOG sysname, TABLE_SCHEMA sysname, TABLE_NAME sysname, COLUMN_NAME sysname, ORDINAL_POSITION int
    COLUMN_DEFAULT nvarchar(4000), IS_NULLABLE varchar(3), DATA_TYPE sysname, CHARACTER_MAXIMUM_LENGTH int
    CHARACTER_OCTET_LENGTH int, NUMERIC_PRECISION tinyint, NUMERIC_SCALE int, DATETIME_PRECISION smallint
    COLLATION_NAME sysname`,
  ),
  indexed: [],
  select: (of, database) => `
    SELECT ${quoteText(database)} AS TABLE_CATALOG, ${schemaName(of, 't.schema_id')} AS TABLE_SCHEMA, t.name AS TABLE_NAME,
      c.name AS COLUMN_NAME, c.column_id AS ORDINAL_POSITION, d.definition AS COLUMN_DEFAULT,
      iif(c.is_nullable, 'YES', 'NO') AS IS_NULLABLE, y.name AS DATA_TYPE,
      CASE WHEN y.name IN ('nchar', 'nvarchar') AND c.max_length > 0 THEN c.max_length / 2
        WHEN y.name IN ('char', 'varchar', 'nvarchar', 'binary', 'varbinary') THEN c.max_length
        WHEN y.name IN ('text', 'image') THEN 2147483647 WHEN y.name = 'ntext' THEN 1073741823
      END AS CHARACTER_MAXIMUM_LENGTH,
      CASE WHEN y.name IN ('char', 'varchar', 'nchar', 'nvarchar', 'binary', 'varbinary') THEN c.max_length
        WHEN y.name IN ('text', 'image') THEN 2147483647 WHEN y.name = 'ntext' THEN 2147483646
      END AS CHARACTER_OCTET_LENGTH,
      CASE WHEN y.name IN ('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'numeric', 'money', 'smallmoney',
        'float', 'real') THEN c.precision END AS NUMERIC_PRECISION,
      CASE WHEN y.name IN ('tinyint', 'smallint', 'int', 'bigint', 'decimal', 'numeric', 'money', 'smallmoney')
        THEN c.scale END AS NUMERIC_SCALE,
      CASE WHEN y.name IN ('date', 'time', 'datetime', 'datetime2', 'datetimeoffset', 'smalldatetime')
        THEN c.scale END AS DATETIME_PRECISION,
      c.collation_name AS COLLATION_NAME
    FROM ${of('sys.columns')} AS c
    JOIN ${of('sys.tables')} AS t ON t.object_id = c.object_id
    JOIN ${of('sys.types')} AS y ON y.user_type_id = c.system_type_id
    LEFT JOIN ${of('sys.default_constraints')} AS d ON d.object_id = c.default_object_id`,
};

/** INFORMATION_SCHEMA as far as catalog queries ask it. */
export const INFORMATION_SCHEMA_VIEWS: readonly SystemView[] = [TABLES, COLUMNS];
