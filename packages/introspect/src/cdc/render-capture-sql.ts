import { commentForScript, quoteForScript, quoteName } from '../mssql/quote-t-sql.ts';
import { formatLsn } from './lsn.ts';
import type { CleanupStep } from './plan-cleanup.ts';
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
    commentForScript(`-- ${level} ${code}${table === undefined ? '' : ` ${table}`}: ${message}`),
  );
  const parts = [
    [
      commentForScript(`-- Change data capture for ${database}: ${open.length} tables.`),
      ...notes,
    ].join('\n'),
    `USE ${quoteName(database)};`,
    ...(enablesDatabase ? [ENABLE_DATABASE] : []),
    ...open.map(renderTable),
  ];
  return parts.map((part) => `${part}\nGO\n`).join('\n');
}

const ENABLE_DATABASE = `IF NOT EXISTS (SELECT * FROM sys.databases WHERE database_id = DB_ID() AND is_cdc_enabled = 1)
  EXEC sys.sp_cdc_enable_db;`;

function renderTable({ schema, table, instance, columns }: TablePlan): string {
  const call = renderCall('sys.sp_cdc_enable_table', {
    source_schema: quoteForScript(schema),
    source_name: quoteForScript(table),
    role_name: 'NULL',
    capture_instance: quoteForScript(instance),
    supports_net_changes: '0',
    captured_column_list: quoteForScript(capturedColumnList(columns)),
  });
  return `${call.declared}IF NOT EXISTS (SELECT * FROM cdc.change_tables WHERE capture_instance = ${quoteForScript(instance)})
  EXEC ${call.procedure}
    ${call.arguments.join(',\n    ')};`;
}

/** Rows that are deleted in one statement; SQL Server's default. */
export const THRESHOLD = 5000;

/** A script that cleans what the steps say. */
export function renderCleanupSql(database: string, steps: readonly CleanupStep[]): string {
  const calls = steps.flatMap((step) => {
    if (step.step !== 'clean') return [];
    const call = renderCall('sys.sp_cdc_cleanup_change_table', {
      capture_instance: quoteForScript(step.instance),
      low_water_mark: formatLsn(step.mark),
      threshold: String(THRESHOLD),
    });
    const [instance, ...others] = call.arguments;
    return [`${call.declared}EXEC ${call.procedure} ${instance},\n  ${others.join(', ')};`];
  });
  return [`USE ${quoteName(database)};`, ...calls].map((part) => `${part}\nGO\n`).join('\n');
}

/** A procedure takes constants and variables as its arguments, and no other expression: these are declared before. */
function renderCall(procedure: string, values: Readonly<Record<string, string>>) {
  const entries = Object.entries(values);
  const isExpression = (value: string) => /[+(]/.test(value.replace(/N'(?:[^']|'')*'/g, ''));
  return {
    procedure,
    declared: entries
      .filter(([, value]) => isExpression(value))
      .map(([name, value]) => `DECLARE @${name} nvarchar(max) = ${value};\n`)
      .join(''),
    arguments: entries.map(([name, value]) =>
      isExpression(value) ? `@${name} = @${name}` : `@${name} = ${value}`,
    ),
  };
}
