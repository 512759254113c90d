import { readConfig, type Config } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import {
  beginReloads,
  cancelReloads,
  finishReloads,
  isReloadSelected,
  listReloadTargets,
  readReloads,
  type BegunReload,
  type FinishedReload,
  type FinishStep,
  type OpenReload,
  type ReloadCounts,
  type ReloadTarget,
  type ReloadSelection,
  type ReloadState,
} from '@cdc-migrations/tracker';
import { CLEAR_LINE, standardError, type ProgressOutput } from '../apply/progress.ts';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { isOf } from '../pipelines/plan-flows.ts';
import { printable, printMessage } from '../print.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import type { ReportLines } from '../report-lines.ts';
import { reportTargets, withSession, type TargetReport } from '../target/report-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';

export interface ReloadOptions extends TargetOptions {
  readonly table?: readonly string[];
  readonly customer?: readonly string[];
  readonly json?: boolean;
}

/**
 * Begins reloads of tables. Returns the exit code: 5 if a table cannot be reloaded, 3 if one failed, 2 if there is
 * none.
 */
export async function beginReload(options: ReloadOptions): Promise<number> {
  const config = readConfig(findRoot(options.root));
  return reportFound(options, 'no table', async (target) => {
    const { label, migrations, tenants } = target;
    const locations = listReloadTargets(migrations, {
      ...{ tenants, schemas: options.schema, tables: options.table, customers: options.customer },
      customerColumnOf: (table) => customerColumnOf(config, table),
      customerIdOf: (customer) => customerIdOf(config, migrations.set, customer, options.env),
    });
    if (locations.length === 0) return null;
    const reloads = await withSession(target, 'cdc reload', (session) =>
      beginReloads(session, locations),
    );
    return {
      exitCode: worstExitCode(reloads.map(({ outcome }) => EXIT_CODES[outcome])),
      lines: [`${label}:`, ...reloads.map((one) => `  ${describeBegun(one)}`)],
      reloads,
    };
  });
}

/** Lists open reloads. Returns 1 while rows are missing in the new snapshot. */
export function showReloads(options: ReloadOptions): Promise<number> {
  return reportTargets(options, (target) =>
    withSession(target, 'cdc reload', async (session) => {
      const reloads = await readReloads(session, selectionOf(options));
      return {
        exitCode: worstExitCode(
          reloads.map(({ counts }) => {
            if (counts === null) return EXIT.tenantsFailed;
            return counts.unread > 0 ? EXIT.differences : EXIT.done;
          }),
        ),
        lines: [`${target.label}:`, ...renderStates(reloads)],
        document: { reloads },
      };
    }),
  );
}

export interface FinishReloadOptions extends ReloadOptions {
  readonly dryRun?: boolean;
  readonly maxShare: number;
  readonly withoutReads?: boolean;
  readonly replayed?: boolean;
}

/**
 * Removes rows that open reloads did not bring, and ends the reloads. Returns the exit code: 5 if it was refused, 3 if
 * a table failed.
 */
export function finishReload(options: FinishReloadOptions): Promise<number> {
  return reportFound(options, 'no open reload', async ({ label, address }) => {
    const { onProgress, clear } = reportProgress(standardError(process.env));
    const reloads = await finishReloads(address(), selectionOf(options), {
      onProgress,
      isDryRun: options.dryRun === true,
      maxShare: options.maxShare,
      withoutReads: options.withoutReads === true,
      isReplayed: options.replayed === true,
    }).finally(clear);
    if (reloads.length === 0) return null;
    return {
      exitCode: worstExitCode(reloads.map(({ outcome }) => EXIT_CODES[outcome])),
      lines: [`${label}:`, ...reloads.map((one) => `  ${describeFinished(one)}`)],
      reloads,
    };
  });
}

/** Ends open reloads and keeps all rows. */
export function cancelReload(options: ReloadOptions): Promise<number> {
  return reportFound(options, 'no open reload', (target) =>
    withSession(target, 'cdc reload', async (session) => {
      const reloads = await cancelReloads(session, selectionOf(options));
      if (reloads.length === 0) return null;
      return {
        exitCode: EXIT.done,
        lines: [`${target.label}:`, ...reloads.map((one) => `  ${locationOf(one)}: cancelled`)],
        reloads,
      };
    }),
  );
}

const TELL_EVERY_MS = 10_000;

/** Reports progress continuously on a terminal, and every ten seconds elsewhere. */
function reportProgress({ isTerminal, write }: ProgressOutput) {
  let reportedAt = performance.now();
  return {
    onProgress: (reload: OpenReload, step: FinishStep) => {
      const text = `${locationOf(reload)}: ${
        step.kind === 'removing' ? `${step.removed} of ${step.of} rows removed` : step.kind
      }`;
      if (isTerminal) return write(`${CLEAR_LINE}${printable(text)}`);
      if (performance.now() < reportedAt + TELL_EVERY_MS) return;
      reportedAt = performance.now();
      write(`${printable(text)}\n`);
    },
    clear: () => {
      if (isTerminal) write(CLEAR_LINE);
    },
  };
}

type Outcome = BegunReload['outcome'] | FinishedReload['outcome'];

const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  begun: EXIT.done,
  open: EXIT.done,
  finished: EXIT.done,
  found: EXIT.done,
  refused: EXIT.unsafe,
  failed: EXIT.tenantsFailed,
  locked: EXIT.locked,
};

/** Report of a target and its rows. */
interface ReloadReport extends Pick<TargetReport, 'exitCode' | 'lines'> {
  readonly reloads: readonly ReloadTarget[];
}

/** Prints the reports of all targets. Returns 2 if one of the names selects nothing in any of them. */
async function reportFound(
  options: ReloadOptions,
  nothing: string,
  ask: (target: CommandTarget) => Promise<ReloadReport | null>,
): Promise<number> {
  let isUnknown = false;
  const found: ReloadTarget[] = [];
  const exitCode = await reportTargets(options, async (target) => {
    const report = await ask(target).catch((error: unknown) => {
      isUnknown = true;
      throw error;
    });
    const { reloads, ...rest } = report ?? { exitCode: EXIT.done, lines: [], reloads: [] };
    found.push(...reloads);
    return { ...rest, document: { reloads } };
  });
  if (isUnknown) return exitCode;
  const missing = found.length === 0 ? namesOf(options) : listMissing(options, found);
  if (missing.length === 0) return exitCode;
  printMessage(`reload: ${nothing} of ${missing.join(', ')} in ${options.env}`);
  return worstExitCode([exitCode, EXIT.usage]);
}

function namesOf({ table = [], customer = [] }: ReloadOptions): readonly string[] {
  return [...table, ...customer];
}

/** Lists names of tables and customers without a match. */
function listMissing(
  options: ReloadOptions,
  locations: readonly ReloadTarget[],
): readonly string[] {
  const { table, customer, ...others } = options;
  const isMissing = (names: Pick<ReloadOptions, 'table' | 'customer'>) =>
    !locations.some((location) => isReloadSelected(location, selectionOf({ ...others, ...names })));
  return [
    ...(table ?? []).filter((name) => isMissing({ table: [name] })),
    ...(customer ?? []).filter((name) => isMissing({ customer: [name] })),
  ];
}

/** Selects customers by their schemas and by their ids, which rows of shared tables have. */
function selectionOf({ root, env, schema, table, customer }: ReloadOptions): ReloadSelection {
  const customers = customer && [...customer, ...idsOf(readConfig(findRoot(root)), customer, env)];
  return { schemas: schema, tables: table, customers };
}

function idsOf({ sourceGroups }: Config, customers: readonly string[], env: string) {
  return sourceGroups.flatMap(({ sources }) =>
    sources
      .filter(({ name }) => customers.includes(name))
      .flatMap(({ environments }) => [...environments.values()])
      .filter(({ targetSinkEnv }) => targetSinkEnv === env)
      .flatMap(({ customerId }) => customerId ?? []),
  );
}

/**
 * Returns the id of a customer in the rows of shared tables. A customer of a db-shared source is selected by its id.
 */
function customerIdOf(
  config: Config,
  { pattern, sourceGroup }: { readonly pattern: string; readonly sourceGroup: string },
  customer: string,
  env: string,
): string {
  if (pattern === 'db-shared') return customer;
  const group = config.sourceGroups.filter(({ name }) => name === sourceGroup);
  const [id] = idsOf({ ...config, sourceGroups: group }, [customer], env);
  if (id !== undefined) return id;
  throw new CommandError(
    `--customer ${customer}: expected a customer_id in source-groups.yaml, because shared tables identify the rows of a customer by it`,
  );
}

/** Returns the column of the template `customer_id` in a table of several customers. */
export function customerColumnOf(
  { services, templates }: Config,
  table: Pick<ReplicatedTable, 'set' | 'schema' | 'service' | 'source'>,
): string | undefined {
  const use = services
    .find(({ name }) => name === table.service)
    ?.sinks.find(({ sink }) => sink === table.set)
    ?.tables.find((one) => isOf(one, table))
    ?.columnTemplates.find(({ template }) => template === CUSTOMER);
  const name = use && (use.name ?? templates.get(CUSTOMER)?.name);
  return name === undefined ? undefined : shortName(name);
}

const CUSTOMER = 'customer_id';

/** Describes a place: `blue.Actor`, `public.Everybody of 0a827150-…`. */
function locationOf({ schema, table, customer }: ReloadTarget): string {
  return `${schema}.${table}${customer === null ? '' : ` of ${customer}`}`;
}

function describeBegun(reload: BegunReload): string {
  const { outcome, begunAt, begunBy, reason } = reload;
  const said = {
    begun: `begun at ${begunAt}; now take a snapshot of it with the connector`,
    open: `open since ${begunAt}, begun by ${begunBy}`,
    refused: `refused: ${reason}`,
    failed: `failed: ${reason}`,
  }[outcome];
  return `${locationOf(reload)}: ${said}`;
}

function renderStates(reloads: readonly ReloadState[]): ReportLines {
  if (reloads.length === 0) return ['  no open reloads'];
  const failed = reloads.filter(({ counts }) => counts === null);
  const counted = reloads.flatMap(({ counts, ...reload }) =>
    counts === null ? [] : [{ ...reload, ...counts }],
  );
  const table = {
    head: ['table', 'begun', 'by', 'read again', 'changed', 'neither'],
    rows: counted.map((reload) => [
      locationOf(reload),
      reload.begunAt,
      reload.begunBy,
      ...[reload.read, reload.changed, reload.unread].map(String),
    ]),
    isNumber: (column: number) => column > 2,
    indent: '  ',
  };
  return [
    ...(counted.length > 0 ? [table] : []),
    ...failed.map((reload) => `  ${locationOf(reload)}: cannot be counted: ${reload.reason}`),
  ];
}

function describeFinished(reload: FinishedReload): string {
  const { outcome, counts, swept, reason } = reload;
  const verb = outcome === 'finished' ? 'removed' : 'to remove';
  const text = counts === null ? '' : `; ${describeCounts(counts, swept, verb)}`;
  const said = outcome === 'found' ? 'dry run' : outcome;
  return `${locationOf(reload)}: ${said}${reason === null ? '' : `: ${reason}`}${text}`;
}

/** Describes counts: `120 rows read again, 3 changed, 2 removed`. */
function describeCounts({ read, changed, unread }: ReloadCounts, swept: number, verb: string) {
  const before = swept > 0 ? `, ${swept} removed by an earlier run` : '';
  return `${countOf(read, 'row')} read again, ${changed} changed, ${unread} ${verb}${before}`;
}
