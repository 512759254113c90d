import type { CatalogSelection } from '../source-database.ts';
import { quoteText } from './quote-t-sql.ts';

/** Maximum number of rows in one INSERT … VALUES. */
const MAX_VALUES = 1000;

/** Compares names without case, even in databases with case-sensitive names. The caller checks the case. */
const WITHOUT_CASE = 'COLLATE Latin1_General_CI_AS';

/**
 * Renders a batch that inserts the object ids of the selected tables into `#wanted`, a temporary table of the
 * connection. Names are literals because a request has at most 2,100 parameters, and because OPENJSON and STRING_SPLIT
 * need compatibility level 130.
 */
export function wantedTablesSql(selections: readonly CatalogSelection[]): string {
  const names = selections.flatMap(({ schema, tables }) =>
    tables.map((table) => `(${quoteText(schema)}, ${quoteText(table)})`),
  );
  const inserts: string[] = [];
  for (let at = 0; at < names.length; at += MAX_VALUES) {
    const rows = names.slice(at, at + MAX_VALUES).join(', ');
    inserts.push(`INSERT INTO #names (schema_name, table_name) VALUES ${rows};`);
  }
  return `
SET NOCOUNT ON;
CREATE TABLE #names (schema_name nvarchar(128) NOT NULL, table_name nvarchar(128) NOT NULL);
CREATE TABLE #wanted (object_id int NOT NULL, schema_id int NOT NULL);
${inserts.join('\n')}
INSERT INTO #wanted (object_id, schema_id)
SELECT DISTINCT t.object_id, t.schema_id
FROM #names AS n
JOIN sys.tables AS t ON t.name ${WITHOUT_CASE} = n.table_name ${WITHOUT_CASE}
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
  AND s.name ${WITHOUT_CASE} = n.schema_name ${WITHOUT_CASE};`;
}

/**
 * Query for a hash per schema over everything in its catalog. It uses names, not ids, so equal structures in different
 * databases have equal hashes.
 */
export const FINGERPRINT_SQL = `
SELECT s.name AS schema_name,
  HASHBYTES('SHA2_256', CONCAT(
    (SELECT t.name AS t, t.is_tracked_by_cdc AS k
     FROM sys.tables AS t JOIN #wanted AS w ON w.object_id = t.object_id
     WHERE w.schema_id = s.schema_id ORDER BY t.name FOR XML PATH('t')),
    (SELECT t.name AS t, c.name AS n, y.name AS y, b.name AS b, c.max_length AS l, c.precision AS p, c.scale AS s,
       c.is_nullable AS u, c.is_identity AS i, c.is_computed AS m, c.is_column_set AS z, c.collation_name AS o,
       m.definition AS f, d.definition AS d
     FROM #wanted AS w
     JOIN sys.tables AS t ON t.object_id = w.object_id
     JOIN sys.columns AS c ON c.object_id = w.object_id
     LEFT JOIN sys.types AS y ON y.user_type_id = c.user_type_id
     LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
     LEFT JOIN sys.computed_columns AS m ON m.object_id = c.object_id AND m.column_id = c.column_id
     LEFT JOIN sys.default_constraints AS d
       ON d.parent_object_id = c.object_id AND d.parent_column_id = c.column_id
     WHERE w.schema_id = s.schema_id ORDER BY t.name, c.column_id FOR XML PATH('c')),
    (SELECT t.name AS t, i.name AS n, i.is_primary_key AS p, i.is_disabled AS d, i.is_hypothetical AS h,
       i.has_filter AS g, i.filter_definition AS f, c.name AS c
     FROM #wanted AS w
     JOIN sys.tables AS t ON t.object_id = w.object_id
     JOIN sys.indexes AS i ON i.object_id = w.object_id AND i.is_unique = 1
     JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
     JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = x.column_id
     WHERE w.schema_id = s.schema_id ORDER BY t.name, i.name, x.key_ordinal FOR XML PATH('i')),
    (SELECT t.name AS t, f.name AS n, c.name AS c, r.name AS r, rs.name AS s, rc.name AS rc
     FROM #wanted AS w
     JOIN sys.tables AS t ON t.object_id = w.object_id
     JOIN sys.foreign_keys AS f ON f.parent_object_id = w.object_id
     JOIN sys.foreign_key_columns AS x ON x.constraint_object_id = f.object_id
     JOIN sys.columns AS c ON c.object_id = x.parent_object_id AND c.column_id = x.parent_column_id
     JOIN sys.tables AS r ON r.object_id = x.referenced_object_id
     JOIN sys.schemas AS rs ON rs.schema_id = r.schema_id
     JOIN sys.columns AS rc ON rc.object_id = x.referenced_object_id AND rc.column_id = x.referenced_column_id
     WHERE w.schema_id = s.schema_id ORDER BY t.name, f.name, x.constraint_column_id FOR XML PATH('f')),
    (SELECT d.collation_name FROM sys.databases AS d WHERE d.database_id = DB_ID())
  )) AS hash
FROM sys.schemas AS s
WHERE s.schema_id IN (SELECT schema_id FROM #wanted);`;

const WANTED = (id: string) => `JOIN #wanted AS w ON w.object_id = ${id}`;

/**
 * Queries of the catalog views for the tables in `#wanted` and the names that foreign keys refer to. Their order is the
 * order of the results of {@link CATALOG_SQL}.
 */
const CATALOG_QUERIES: Readonly<Record<string, string>> = {
  'sys.databases': 'SELECT name, collation_name FROM sys.databases WHERE database_id = DB_ID()',
  'sys.schemas': 'SELECT schema_id, name FROM sys.schemas',
  'sys.types':
    'SELECT name, system_type_id, user_type_id, schema_id, is_user_defined, is_assembly_type FROM sys.types',
  'sys.tables': `SELECT t.object_id, t.name, t.schema_id, t.is_tracked_by_cdc
FROM sys.tables AS t
WHERE t.object_id IN (SELECT object_id FROM #wanted)
  OR t.object_id IN (SELECT f.referenced_object_id FROM sys.foreign_keys AS f ${WANTED('f.parent_object_id')})`,
  'sys.columns': `SELECT c.object_id, c.column_id, c.name, c.system_type_id, c.user_type_id, c.max_length, c.precision,
  c.scale, c.collation_name, c.is_nullable, c.is_identity, c.is_computed, c.is_column_set
FROM sys.columns AS c ${WANTED('c.object_id')}
UNION ALL
SELECT c.object_id, c.column_id, c.name, c.system_type_id, c.user_type_id, c.max_length, c.precision,
  c.scale, c.collation_name, c.is_nullable, c.is_identity, c.is_computed, c.is_column_set
FROM sys.foreign_key_columns AS f ${WANTED('f.parent_object_id')}
JOIN sys.columns AS c ON c.object_id = f.referenced_object_id AND c.column_id = f.referenced_column_id
WHERE f.referenced_object_id NOT IN (SELECT object_id FROM #wanted)`,
  'sys.computed_columns': `SELECT c.object_id, c.column_id, c.definition
FROM sys.computed_columns AS c ${WANTED('c.object_id')}`,
  'sys.default_constraints': `SELECT d.parent_object_id, d.parent_column_id, d.definition
FROM sys.default_constraints AS d ${WANTED('d.parent_object_id')}`,
  'sys.indexes': `SELECT i.object_id, i.index_id, i.name, i.is_unique, i.is_primary_key, i.is_disabled,
  i.is_hypothetical, i.has_filter, i.filter_definition
FROM sys.indexes AS i ${WANTED('i.object_id')}
WHERE i.is_unique = 1`,
  'sys.index_columns': `SELECT x.object_id, x.index_id, x.column_id, x.key_ordinal, x.is_included_column
FROM sys.index_columns AS x ${WANTED('x.object_id')}
JOIN sys.indexes AS i ON i.object_id = x.object_id AND i.index_id = x.index_id
WHERE i.is_unique = 1`,
  'sys.foreign_keys': `SELECT f.object_id, f.name, f.parent_object_id, f.referenced_object_id
FROM sys.foreign_keys AS f ${WANTED('f.parent_object_id')}`,
  'sys.foreign_key_columns': `SELECT f.constraint_object_id, f.constraint_column_id, f.parent_object_id,
  f.parent_column_id, f.referenced_object_id, f.referenced_column_id
FROM sys.foreign_key_columns AS f ${WANTED('f.parent_object_id')}`,
};

/** The views in the order of the results of {@link CATALOG_SQL}. */
export const CATALOG_VIEWS: readonly string[] = Object.keys(CATALOG_QUERIES);

/** All catalog queries in one batch. */
export const CATALOG_SQL = Object.values(CATALOG_QUERIES)
  .map((query) => `${query};`)
  .join('\n');

/** Query for messages: the tables that the login sees, and how many of those in `#wanted` were dropped meanwhile. */
export const VISIBLE_TABLES_SQL = `
SELECT s.name AS schema_name, t.name AS table_name
FROM sys.tables AS t JOIN sys.schemas AS s ON s.schema_id = t.schema_id
WHERE t.is_ms_shipped = 0;
SELECT COUNT(*) AS gone FROM #wanted WHERE object_id NOT IN (SELECT object_id FROM sys.tables);`;
