import { renderText, type ReportLines } from '../report-lines.ts';
import {
  retireTables,
  type RetiredTable,
  type RetireResult,
  type RetireSelection,
  type SharedRows,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { printMessage } from '../print.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import { reportTargets } from '../target/report-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';

export interface RetireCommandOptions extends TargetOptions {
  readonly table?: readonly string[];
  readonly customer?: readonly string[];
  readonly discardEvents?: boolean;
  readonly drop?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * Ends the merges of tables and customers that left the configuration. With `--drop` standard output is SQL. Returns
 * the exit code: 5 while events are in no final table, 3 if a table failed, 4 if it was locked, 2 if no target knows a
 * name.
 */
export async function retire(options: RetireCommandOptions): Promise<number> {
  const selection = selectionOf(options);
  const found = new Set<string>();
  let failed = false;
  const exitCode = await reportTargets(options, async (target) => {
    const { label, address, migrations, tenants, knownTenants } = target;
    failed = true;
    const result = await retireTables(address(), migrations, {
      ...{ tenants, knownTenants, only: options.schema, selection },
      discards: options.discardEvents === true,
      isDryRun: options.dryRun === true,
    });
    failed = false;
    for (const name of result.found) found.add(name);
    const lines = renderResult(label, result);
    return {
      exitCode: worstExitCode(result.tables.map(({ outcome }) => EXIT_CODES[outcome])),
      lines: options.drop ? renderDrop(renderText(lines), result) : lines,
      document: { tables: result.tables, shared: result.shared, dropSql: result.dropSql },
    };
  });
  const unknown = selection.names.filter((name) => !found.has(name));
  if (failed || unknown.length === 0) return exitCode;
  printMessage(`no bookkeeping of ${unknown.join(', ')}`);
  return worstExitCode([exitCode, EXIT.usage]);
}

const EXIT_CODES: Readonly<Record<RetiredTable['outcome'], number>> = {
  retired: EXIT.done,
  before: EXIT.done,
  found: EXIT.done,
  refused: EXIT.unsafe,
  failed: EXIT.tenantsFailed,
  locked: EXIT.locked,
};

const SAID: Readonly<Record<RetiredTable['outcome'], string>> = {
  retired: 'retired',
  before: 'retired before',
  found: 'to retire',
  refused: 'refused',
  failed: 'failed',
  locked: 'locked',
};

function selectionOf({ table, customer }: RetireCommandOptions): RetireSelection {
  if (customer) return { kind: 'customer', names: customer };
  if (table) return { kind: 'table', names: table };
  throw new CommandError('retire: expected --table or --customer');
}

/**
 * Renders a line for each table:
 *
 *     sink_asma.directory in prod
 *     table rows bytes staged dead letters refused
 *     blue.Region 12 16384 0 0 0 retired
 */
function renderResult(label: string, { tables, shared }: RetireResult): ReportLines {
  if (tables.length === 0) return [`${label}: no bookkeeping`];
  const rows = tables.map(({ schema, table, left, outcome }) => [
    `${schema}.${table}`,
    ...[left.rows, left.bytes, left.staged, left.deadLetters, left.refusedEvents].map((count) =>
      String(count ?? '-'),
    ),
    SAID[outcome],
  ]);
  return [
    label,
    {
      head: ['table', 'rows', 'bytes', 'staged', 'dead letters', 'refused', ''],
      rows,
      isNumber: (column) => column > 0 && column < 6,
    },
    ...tables.flatMap(({ schema, table, outcome, left }) =>
      outcome === 'retired' ? [`${schema}.${table}: ${describeGone(left)}`] : [],
    ),
    ...tables.flatMap(({ schema, table, reason }) =>
      reason === null ? [] : [`${schema}.${table}: ${reason}`],
    ),
    ...shared.map(describeShared),
  ];
}

/** Describes the removed bookkeeping of a table. */
function describeGone({
  staging,
  routines,
  rememberedDeletes,
  streams,
}: RetiredTable['left']): string {
  const objects = [...(staging === null ? [] : [`staging table ${staging}`]), ...routines];
  const kept = `positions of ${countOf(streams, 'stream')}, ${countOf(rememberedDeletes, 'remembered delete')}, history`;
  return `removed ${[...objects, kept].join(', ')}`;
}

function describeShared({ schema, table, rows, sources }: SharedRows): string {
  return `${schema}.${table}: ${countOf(rows, 'row')} of ${sources.join(', ')} ${rows === 1 ? 'stays' : 'stay'}`;
}

/** Renders the script, with all messages as comments. */
function renderDrop(lines: readonly string[], { dropSql }: RetireResult): readonly string[] {
  const body =
    dropSql === ''
      ? ['-- Nothing is left to drop.']
      : ['BEGIN;', ...dropSql.trim().split('\n'), 'COMMIT;'];
  return [...lines.map((line) => `-- ${line}`), ...body];
}
