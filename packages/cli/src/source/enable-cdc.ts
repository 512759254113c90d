import { readConfig } from '@cdc-migrations/config';
import {
  enableCdc as enable,
  describeStep,
  enablePublication,
  parseLsn,
  RISKS,
  rotateCdc,
  type CapturePlan,
  type EnableCdcResult,
  type EnablePublicationResult,
  type Finding,
  type FindingCode,
  type Lsn,
  type PublicationRequest,
  type RotateCdcOptions,
  type RotationResult,
  type SourcePlan,
  type TableResult,
} from '@cdc-migrations/introspect';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { locateError } from '../repo/locate-error.ts';
import { carrierName } from '../pipelines/topics.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { captureRequests } from './capture-requests.ts';
import { passedReader } from './read-passed.ts';
import { reportOutcomes } from './report-outcomes.ts';
import { resolveSources, type PlannedSource } from './resolve-sources.ts';
import { runAll } from './run-all.ts';
import { selectDatabases, type DatabaseOptions } from './select-databases.ts';
import { showEvent } from './show-event.ts';
import { print, printError, printJson, printScript } from '../print.ts';

export interface EnableCdcCommandOptions extends DatabaseOptions {
  readonly table?: readonly string[];
  readonly dryRun?: boolean;
  readonly emitSql?: boolean;
  readonly accept?: readonly string[];
  readonly secondInstance?: boolean;
  readonly rotate?: boolean;
  readonly passedLsn?: string;
  /** In milliseconds. */
  readonly wait?: number;
  readonly createSlot?: boolean;
  readonly publication?: string;
  readonly slotName?: string;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly json?: boolean;
}

/** Databases in parallel. */
const JOBS = 4;

/** Enables change data capture, or prints what would be enabled, and returns the exit code. */
export async function enableCdc(options: EnableCdcCommandOptions): Promise<number> {
  const root = findRoot(options.root);
  try {
    return await run(root, options);
  } catch (error) {
    throw locateError(error, root);
  }
}

/** Actions in a database, done or planned. */
interface Enabled {
  readonly database: string;
  readonly findings: readonly Finding[];
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly json: object;
  readonly sql: string;
}

async function run(root: string, options: EnableCdcCommandOptions): Promise<number> {
  const accepted = parseRisks(options.accept ?? []);
  const config = readConfig(root);
  const plans = selectDatabases(config, options);
  refuseMisplacedOptions(plans, options);
  const requests = new Map(
    plans.map((plan) => [plan, captureRequests(root, config, plan, options.table)] as const),
  );
  const given = options.passedLsn === undefined ? undefined : parsePassed(options.passedLsn);
  const readers = new Map(
    (options.rotate ? plans : []).map(
      (plan) =>
        [
          plan,
          passedReader(root, config, { plan, env: options.env, ...(given && { given }) }),
        ] as const,
    ),
  );
  const outcomes = await runAll(resolveSources(root, plans), JOBS, (planned) => {
    const wanted = requests.get(planned.plan)!;
    if (options.rotate) {
      return rotateMssql(planned, wanted, accepted, {
        ...options,
        readPassed: readers.get(planned.plan)!,
      });
    }
    return planned.plan.group.type === 'mssql'
      ? enableMssql(planned, wanted, accepted, options)
      : enablePostgres(planned, wanted, accepted, {
          ...options,
          carrier: carrierName(config.sourceGroups, planned.plan),
        });
  });
  const { results, hasFailed } = reportOutcomes(outcomes, (done) => report(done, options));
  return worstExitCode([
    ...results.map(({ exitCode }) => exitCode),
    ...(hasFailed ? [EXIT.tenantsFailed] : []),
  ]);
}

function parsePassed(value: string): Lsn {
  const lsn = parseLsn(value);
  if (lsn !== undefined) return lsn;
  throw new CommandError(
    `--passed-lsn ${value}: expected an LSN: 0x and 20 hexadecimal digits, or a value such as 0000002a:00000110:0001`,
  );
}

/** Refuses options of the other kind of server, and one name for several databases. */
function refuseMisplacedOptions(
  plans: readonly SourcePlan[],
  options: EnableCdcCommandOptions,
): void {
  const { publication, slotName, createSlot, secondInstance, rotate, passedLsn, wait } = options;
  const hasType = (type: string) => plans.some(({ group }) => group.type === type);
  if ((publication !== undefined || slotName !== undefined) && plans.length > 1) {
    throw new CommandError(
      `--publication and --slot-name need one database, found ${plans.length}; choose one with --customer`,
    );
  }
  if (!hasType('postgres') && (publication ?? slotName ?? createSlot) !== undefined) {
    throw new CommandError(
      '--publication, --slot-name and --create-slot are for PostgreSQL sources, found SQL Server',
    );
  }
  if (rotate && plans.some(({ group }) => group.type !== 'mssql')) {
    throw new CommandError(
      '--rotate is for SQL Server sources: a publication includes new columns automatically',
    );
  }
  if (!rotate && (passedLsn ?? wait) !== undefined) {
    throw new CommandError('--passed-lsn and --wait need --rotate');
  }
  if (rotate && secondInstance) {
    throw new CommandError('--rotate and --second-instance cannot be used together');
  }
  if (passedLsn !== undefined && plans.length > 1) {
    throw new CommandError(
      `--passed-lsn needs one database, found ${plans.length}; choose one with --customer`,
    );
  }
  if (!hasType('mssql') && secondInstance) {
    throw new CommandError(
      '--second-instance is for SQL Server sources: a publication includes new columns automatically',
    );
  }
}

async function enableMssql(
  { source }: PlannedSource,
  requests: readonly PublicationRequest[],
  accepted: readonly FindingCode[],
  options: EnableCdcCommandOptions,
): Promise<Enabled> {
  const { timeout, emitSql = false, dryRun = false, secondInstance = false } = options;
  const result = await enable(source, requests, {
    ...{ accepted, secondInstance, dryRun: emitSql || dryRun, onEvent: showEvent },
    ...(timeout !== undefined && { timeoutMs: timeout }),
  });
  const { plan, databaseState, tables, sql } = result;
  return {
    ...{ database: plan.database, findings: plan.findings, sql },
    exitCode: exitCodeOf([databaseState, ...tables.map(({ state }) => state)]),
    lines: describe(result),
    json: { database: plan.database, state: databaseState, findings: plan.findings, tables },
  };
}

async function enablePostgres(
  { source }: PlannedSource,
  requests: readonly PublicationRequest[],
  accepted: readonly FindingCode[],
  options: EnableCdcCommandOptions & { readonly carrier: string },
): Promise<Enabled> {
  const { timeout, emitSql = false, dryRun = false, createSlot = false, table } = options;
  const publication = options.publication ?? options.carrier;
  const slot = options.slotName ?? options.publication ?? publication;
  const result = await enablePublication(source, requests, {
    ...{ accepted, publication, slot, createSlot, isComplete: table === undefined },
    ...{ dryRun: emitSql || dryRun, onEvent: showEvent },
    ...(timeout !== undefined && { timeoutMs: timeout }),
  });
  const { plan, publicationState, slotState, slotReason, tables, sql } = result;
  const failed = { state: slotState, ...(slotReason !== undefined && { reason: slotReason }) };
  return {
    ...{ database: plan.database, findings: plan.findings, sql },
    exitCode: exitCodeOf([publicationState, slotState, ...tables.map(({ state }) => state)]),
    lines: describePublication(result),
    json: {
      database: plan.database,
      publication: { name: plan.publication, state: publicationState },
      slot: { name: plan.slot, ...failed },
      ...{ findings: plan.findings, tables },
    },
  };
}

function parseRisks(codes: readonly string[]): readonly FindingCode[] {
  return codes.map((code) => {
    const risk = RISKS.find((known) => known === code);
    if (risk) return risk;
    throw new CommandError(`--accept ${code}: unknown risk; known: ${RISKS.join(', ')}`);
  });
}

async function rotateMssql(
  { source }: PlannedSource,
  requests: readonly PublicationRequest[],
  accepted: readonly FindingCode[],
  options: EnableCdcCommandOptions & Pick<RotateCdcOptions, 'readPassed'>,
): Promise<Enabled> {
  const { timeout, wait = 0, emitSql = false, dryRun = false, readPassed } = options;
  const { database, findings, tables, sql } = await rotateCdc(source, requests, {
    ...{ accepted, readPassed, dryRun: emitSql || dryRun, waitMs: wait, onEvent: showEvent },
    ...(timeout !== undefined && { timeoutMs: timeout }),
  });
  const states = tables.map(({ state }) => state);
  const isWaiting = states.includes('waiting') && !dryRun && !emitSql;
  return {
    ...{ database, findings, sql },
    exitCode: worstExitCode([exitCodeOf(states), isWaiting ? EXIT.differences : EXIT.done]),
    lines: [
      ...tables
        .filter(({ state }) => state !== 'kept')
        .map((table) => `${database} ${table.schema}.${table.table}: ${describeRotation(table)}`),
      `${database}: ${countStates(tables)}`,
    ],
    json: {
      ...{ database, findings },
      tables: tables.map(({ next, ...table }) => ({
        ...table,
        next: { ...next, text: describeStep(next) },
      })),
    },
  };
}

function describeRotation({ state, done, next, reason }: RotationResult): string {
  const ahead = next.kind === 'none' ? [] : [describeStep(next)];
  return [state, ...done.map((step) => `done: ${step}`), ...(reason ? [reason] : ahead)].join('; ');
}

function exitCodeOf(states: readonly string[]): number {
  const isDone = states.every((state) => state !== 'blocked' && state !== 'failed');
  return isDone ? EXIT.done : EXIT.tenantsFailed;
}

function report(results: readonly Enabled[], { json, emitSql }: EnableCdcCommandOptions): void {
  for (const { database, findings } of results) {
    for (const { level, code, table, message } of findings) {
      const location = table === undefined ? database : `${database} ${table}`;
      printError([`${level} ${code}: ${location}: ${message}`]);
    }
  }
  if (json) {
    const databases = results.map((result) => ({
      ...result.json,
      ...(emitSql && { sql: result.sql }),
    }));
    printJson({ databases });
  } else if (emitSql) {
    printScript(results.map(({ sql }) => sql).join('\n'));
  } else {
    print(results.flatMap(({ lines }) => lines));
  }
}

function describe({ plan, databaseState, tables }: EnableCdcResult): readonly string[] {
  const lines = tables
    .filter(({ state }) => state !== 'kept')
    .map(
      (table) => `${plan.database} ${table.schema}.${table.table}: ${describeTable(table, plan)}`,
    );
  const head = databaseState === 'kept' ? '' : ` (database ${databaseState})`;
  return [...lines, `${plan.database}${head}: ${countStates(tables)}`];
}

const STATES = [
  ...(['rotated', 'would be rotated', 'waiting'] as const),
  ...(['enabled', 'would be enabled', 'removed', 'would be removed'] as const),
  ...(['kept', 'blocked', 'failed'] as const),
];

function countStates(tables: readonly { readonly state: (typeof STATES)[number] }[]): string {
  const counts = STATES.map((state) => ({
    state,
    count: tables.filter((table) => table.state === state).length,
  }));
  const reported = counts.filter(({ count }) => count > 0);
  return [
    countOf(tables.length, 'table'),
    ...reported.map(({ state, count }) => `${count} ${state}`),
  ].join(', ');
}

function blockedBy(label: string, findings: readonly Finding[]): string {
  const codes = findings
    .filter(({ level, table }) => level !== 'note' && (table ?? label) === label)
    .map(({ code }) => code);
  return `blocked by ${codes.join(', ')}`;
}

function describePublication(result: EnablePublicationResult): readonly string[] {
  const { plan, tables, publicationState, slotState, slotReason } = result;
  const lines = tables
    .filter(({ state }) => state !== 'kept')
    .map(({ schema, table, state, identity, reason }) => {
      const label = `${schema}.${table}`;
      const what =
        state === 'blocked'
          ? blockedBy(label, plan.findings)
          : [state, reason ?? (identity && IDENTITIES[identity])].filter(Boolean).join(', ');
      return `${plan.database} ${label}: ${what}`;
    });
  const slot = slotReason === undefined ? slotState : `${slotState}, ${slotReason}`;
  return [
    ...lines,
    `${plan.database}: publication ${plan.publication} ${publicationState}, slot ${plan.slot} ${slot}`,
    `${plan.database}: ${countStates(tables)}`,
  ];
}

const IDENTITIES = {
  'primary key': 'replica identity primary key',
  index: 'replica identity unique index',
  full: 'replica identity full',
} as const;

function describeTable(
  { schema, table, state, instance, columns, reason }: TableResult,
  { findings }: CapturePlan,
): string {
  if (state === 'failed') return `failed, ${reason}`;
  if (state === 'blocked') return blockedBy(`${schema}.${table}`, findings);
  return `${state}, capture instance ${instance}, ${countOf(columns.length, 'column')}`;
}
