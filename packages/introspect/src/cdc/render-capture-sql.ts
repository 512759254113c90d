import { quoteName, quoteText } from '../mssql/quote-t-sql.ts';
import type { CapturePlan, TablePlan } from './plan-capture.ts';

/** A column list as `@captured_column_list` takes it: `[actno], [Navn]`. */
export function capturedColumnList(columns: readonly string[]): string {
  return columns.map(quoteName).join(', ');
}

/** Role that may read the changes: none, which is for everybody who may select from the table. */
export const ROLE_NAME = null;

/** A script for sqlcmd or Management Studio that does what the plan says; run twice it does nothing the second time. */
export function renderCaptureSql({
  database,
  findings,
  tables,
  enablesDatabase,
}: CapturePlan): string {
  const open = tables.filter(({ step }) => step !== 'keep');
  const notes = findings.map(({ level, code, table, message }) =>
    ['--', `${level} ${code}${table === undefined ? '' : ` ${table}`}: ${oneLine(message)}`].join(
      ' ',
    ),
  );
  const parts = [
    [`-- Change data capture for ${oneLine(database)}: ${open.length} tables.`, ...notes].join(
      '\n',
    ),
    `USE ${quoteName(database)};`,
    ...(enablesDatabase ? [ENABLE_DATABASE] : []),
    ...open.map(renderTable),
  ];
  return parts.map((part) => `${part}\nGO\n`).join('\n');
}

const ENABLE_DATABASE = `IF NOT EXISTS (SELECT * FROM sys.databases WHERE database_id = DB_ID() AND is_cdc_enabled = 1)
  EXEC sys.sp_cdc_enable_db;`;

function renderTable({ schema, table, instance, columns }: TablePlan): string {
  return `IF NOT EXISTS (SELECT * FROM cdc.change_tables WHERE capture_instance = ${quoteText(instance)})
  EXEC sys.sp_cdc_enable_table
    @source_schema = ${quoteText(schema)},
    @source_name = ${quoteText(table)},
    @role_name = NULL,
    @capture_instance = ${quoteText(instance)},
    @supports_net_changes = 0,
    @captured_column_list = ${quoteText(capturedColumnList(columns))};`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
