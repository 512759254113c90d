import type { MssqlSession } from '../mssql/open-mssql.ts';
import { commentForScript, quoteForScript, quoteName } from '../mssql/quote-t-sql.ts';
import { formatLsn } from './lsn.ts';
import type { CleanupStep } from './plan-cleanup.ts';
import type { CapturePlan, TablePlan } from './plan-capture.ts';

/** Creates a capture instance. */
export async function callEnable(
  session: MssqlSession,
  { schema, table, instance, columns }: Omit<TablePlan, 'step'>,
): Promise<void> {
  await session.call('sys.sp_cdc_enable_table', {
    source_schema: schema,
    source_name: table,
    role_name: ROLE_NAME,
    capture_instance: instance,
    supports_net_changes: false,
    captured_column_list: capturedColumnList(columns),
  });
}

/** Renders a column list for `@captured_column_list`: `[actno], [Navn]`. */
function capturedColumnList(columns: readonly string[]): string {
  return columns.map(quoteName).join(', ');
}

/** Role that may read the changes. NULL allows every login that may select from the table. */
const ROLE_NAME = null;

/** Renders a capture plan as a script for sqlcmd or Management Studio. A second run changes nothing. */
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

function renderTable({ schema, table, instance, columns }: Omit<TablePlan, 'step'>): string {
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

/** Renders the next steps of rotations as a script. Tables that wait for consumers have none. */
export function renderRotationSql(
  database: string,
  steps: readonly {
    readonly plan: TablePlan;
    readonly step: { readonly kind: string; readonly old?: string };
  }[],
): string {
  const parts = steps.flatMap(({ plan, step }) => {
    if (step.kind === 'create') return [renderTable(plan)];
    return step.kind === 'drop' && step.old !== undefined ? [renderDrop(plan, step.old)] : [];
  });
  return [`USE ${quoteName(database)};`, ...parts].map((part) => `${part}\nGO\n`).join('\n');
}

function renderDrop({ schema, table }: TablePlan, instance: string): string {
  const call = renderCall('sys.sp_cdc_disable_table', {
    source_schema: quoteForScript(schema),
    source_name: quoteForScript(table),
    capture_instance: quoteForScript(instance),
  });
  return `${call.declared}IF EXISTS (SELECT * FROM cdc.change_tables WHERE capture_instance = ${quoteForScript(instance)})
  EXEC ${call.procedure}
    ${call.arguments.join(',\n    ')};`;
}

/** Rows to delete per statement. This is SQL Server's default. */
export const THRESHOLD = 5000;

/** Renders cleanup steps as a script. */
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

/**
 * Renders the call of a procedure. Arguments can only be constants or variables, so variables are declared for other
 * expressions.
 */
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
