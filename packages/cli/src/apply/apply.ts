import {
  applyMigrations,
  buildStatus,
  failedSchemas,
  openSession,
  planApply,
  readDependants,
  readSizes,
  readStructures,
  relationOf,
  readTarget,
  refuseProblems,
  readObstacles,
  renderScript,
  schemaIsGone,
  type ApplyResult,
  type PlannedTarget,
  type TargetAddress,
} from '@cdc-migrations/tracker';
import { CommandError, EXIT } from '../exit-code.ts';
import { renderMatrix } from '../status/render-matrix.ts';
import { locateTargetError, locating } from '../target/locate-target-error.ts';
import {
  EMBEDDED,
  type CommandRepo,
  type CommandTarget,
  type TargetOptions,
} from '../target/open-targets.ts';
import { withSession } from '../target/report-targets.ts';
import { selectTargets } from '../target/select-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { reportProgress, standardError } from './progress.ts';
import { buildPlan, listRetyped, runsOf } from './build-plan.ts';
import { readPlan, writePlan, type PlanFile, type PlanTarget } from './plan-file.ts';
import { renderPlan } from './render-plan.ts';
import { renderSummary } from './render-summary.ts';
import {
  refuseUnknownWaves,
  rollOut,
  schemasOf,
  type Portion,
  type PortionEnd,
  type TargetEnd,
} from './roll-out.ts';
import { countOf } from '../count-of.ts';
import { nameSchema } from '../target/name-schema.ts';
import {
  print,
  printAnnotations,
  printMessage,
  printJson,
  printScript,
  type Annotation,
} from '../print.ts';
import { renderMarkdown, type Format, type ReportLines, type Table } from '../report-lines.ts';

export interface ApplyCommandOptions extends TargetOptions {
  readonly jobs?: number;
  readonly canary?: number;
  readonly wave?: readonly string[];
  /** Path of a plan file to write. */
  readonly planOut?: string;
  /** Path of a plan file to carry out. */
  readonly plan?: string;
  readonly dryRun?: boolean;
  readonly onError?: 'continue' | 'stop';
  /** In milliseconds. */
  readonly lockTimeout?: number;
  readonly allowRewrite?: boolean;
  readonly allowOlder?: boolean;
  readonly again?: boolean;
  readonly json?: boolean;
  readonly format?: Format;
}

/** Applies the migrations of a repo to the targets of an environment and returns the exit code. */
export async function apply(options: ApplyCommandOptions): Promise<number> {
  return withTargets(options, async (repo) => {
    const targets = selectTargets(repo.targets, options.schema);
    for (const target of targets) refuse(target);
    refuseCanaryOfWaves(targets, options);
    if (options.dryRun) return scriptAll(targets, options);
    if (options.planOut !== undefined)
      return planAll(targets, { ...options, planOut: options.planOut });
    const plan = options.plan === undefined ? undefined : openPlan(options.plan, repo, options);
    const given = plan ? { ...options, ...pickOptions(plan) } : options;
    const ends = await rollOut(targets, options.wave, (portion) =>
      applyPortion(portion, given, plan),
    );
    if (options.json) printJson({ targets: ends.map(documentOf) });
    else if (options.format === 'markdown')
      print(ends.flatMap((end) => renderMarkdown(reportOf(end))));
    else if (options.env === EMBEDDED)
      printMessage('to look at the tables with psql, run: cdc merge --env embedded --watch');
    return worstExitCode(
      ends.flatMap(({ portions, notBegun }) => [
        ...portions.map(({ exitCode }) => exitCode),
        ...(notBegun.length > 0 ? [EXIT.tenantsFailed] : []),
      ]),
    );
  });
}

/** @throws CommandError */
function refuseCanaryOfWaves(
  targets: readonly CommandTarget[],
  { canary }: ApplyCommandOptions,
): void {
  if (canary === undefined || targets.every(({ waves }) => waves.length === 0)) return;
  throw new CommandError(
    '--canary: sink-groups.yaml has waves, which decide the order; remove --canary, or use --wave',
  );
}

/** Refuses edited files of any target, before the first statement on any target. */
function refuse({ migrations, label }: CommandTarget): void {
  locating(label, () => refuseProblems(migrations));
}

async function applyPortion(
  { target, wave, stopAfter, isFirst, isLast }: Portion,
  options: ApplyCommandOptions,
  plan: PlanFile | undefined,
): Promise<PortionEnd> {
  const { migrations, tenants, label } = target;
  try {
    const address = target.address();
    const progress = standardError(process.env);
    const result = await applyMigrations(address, migrations, {
      tenants,
      only: options.schema,
      among: wave?.schemas,
      again: options.again,
      againOfDatabase: { before: isFirst, behind: isLast },
      jobs: options.jobs ?? wave?.jobs,
      canary: options.canary,
      stopAfter: options.onError === 'stop' ? 1 : stopAfter,
      lockTimeoutMs: options.lockTimeout,
      allowRewrite: options.allowRewrite,
      allowOlder: options.allowOlder,
      planned: plan && (plan.targets.find(({ set }) => set === migrations.set.name) ?? NOTHING),
      onEvent: reportProgress(progress),
    });
    printAnnotations(target.root, annotate(target, result));
    if (!options.json && options.format !== 'markdown') {
      const isWork = result.applied.length > 0 || result.failures.length > 0;
      const isShown = options.env === EMBEDDED && isWork;
      const matrix = isShown ? await readMatrix(target, address) : [];
      print([...matrix, ...renderSummary(wave ? `${label}, wave ${wave.name}` : label, result)]);
    }
    return { exitCode: exitCodeOf(result), result };
  } catch (error) {
    const { exitCode, message } = locateFailure(error, target);
    return { exitCode, result: undefined, error: message };
  }
}

/** A target that the plan does not contain. */
const NOTHING: PlannedTarget = { database: [], schemas: [] };

function pickOptions({ again, allowRewrite, allowOlder }: PlanFile): Partial<ApplyCommandOptions> {
  return { again, allowRewrite, allowOlder };
}

/** Reads a plan. Refuses a plan of another environment, of missing sinks or of other waves. */
function openPlan(
  path: string,
  { targets }: CommandRepo,
  { env, sink }: ApplyCommandOptions,
): PlanFile {
  const plan = readPlan(path);
  if (plan.env !== env)
    throw new CommandError(
      `${path}: expected a plan for --env ${env}, found one for ${plan.env}; ${WRITE_AGAIN}`,
    );
  const sinks = targets.map(({ migrations }) => migrations.set.name);
  const foreign = plan.targets.map(({ set }) => set).filter((set) => !sinks.includes(set));
  if (sink === undefined && foreign.length > 0)
    throw new CommandError(
      `${path}: expected a plan for ${sinks.join(', ')}, found one for ${foreign.join(', ')}; ${WRITE_AGAIN}`,
    );
  const moved = targets.flatMap(({ waves, migrations }) => {
    const planned = plan.targets.find(({ set }) => set === migrations.set.name)?.schemas ?? [];
    return planned
      .filter(({ schema }) => waves.some(({ schemas }) => schemas.includes(schema)))
      .flatMap(({ schema, wave }) => {
        const now = waves.find(({ schemas }) => schemas.includes(schema))?.name;
        return now === wave
          ? []
          : `${schema} is in wave ${now}, and in the plan in ${wave ?? 'none'}`;
      });
  });
  if (moved.length === 0) return plan;
  throw new CommandError(
    `${path}: the waves have changed since the plan (${moved.slice(0, SHOWN_MOVED).join('; ')}); ${WRITE_AGAIN}`,
    EXIT.differences,
  );
}

const WRITE_AGAIN = 'write it again with --plan-out';
const SHOWN_MOVED = 5;

/** Writes a plan file of all targets and prints its content. */
async function planAll(
  targets: readonly CommandTarget[],
  options: ApplyCommandOptions & { readonly planOut: string },
): Promise<number> {
  refuseUnknownWaves(targets, options.wave);
  const { env, again = false, allowRewrite = false, allowOlder = false } = options;
  const planned: PlanTarget[] = [];
  const exitCodes: number[] = [];
  for (const target of targets) {
    try {
      const { plan, gone } = await planTarget(target, options);
      planned.push(plan);
      const report = renderPlan(target.label, plan);
      if (!options.json) print(options.format === 'markdown' ? renderMarkdown(report) : report);
      for (const schema of gone) printGone(target, schema);
      const isRefused = plan.schemas.some(({ files }) =>
        files.some((file) => file.class === 'unsafe'),
      );
      exitCodes.push(gone.length > 0 || isRefused ? EXIT.unsafe : EXIT.done);
    } catch (error) {
      return locateFailure(error, target).exitCode; // A plan of some targets would look complete.
    }
  }
  const file = { env, again, allowRewrite, allowOlder, targets: planned };
  writePlan(options.planOut, file);
  if (options.json) printJson({ plan: options.planOut, targets: planned });
  return worstExitCode(exitCodes);
}

async function planTarget(
  target: CommandTarget,
  options: ApplyCommandOptions,
): Promise<{ readonly plan: PlanTarget; readonly gone: readonly string[] }> {
  const { migrations, tenants, waves } = target;
  const { schema: only, again, allowRewrite = false } = options;
  const scope = { tenants, only, among: schemasOf(waves, options.wave), again };
  return withSession(target, 'cdc apply --plan-out', async (session) => {
    const state = await readTarget(session, migrations);
    const plan = planApply(migrations, state, scope);
    const structures = await readStructures(session, migrations, scope);
    const runs = runsOf(plan);
    const tables = runs.flatMap(({ schema, files }) =>
      files.flatMap((file) => {
        const name = relationOf(file);
        return name === undefined ? [] : { schema, name };
      }),
    );
    const [sizes, dependants] = await Promise.all([
      readSizes(session, tables),
      readDependants(session, migrations, listRetyped(runs, structures)),
    ]);
    const facts = { state, structures, sizes, dependants, allowRewrite };
    return { plan: buildPlan(target, plan, facts), gone: plan.gone };
  });
}

function printGone({ label }: CommandTarget, schema: string): void {
  const { message, hint } = schemaIsGone(schema);
  printMessage(`${label}: ${schema}: ${message}; ${hint}`);
}

/** Returns the error of a target that failed. Throws defects. */
function locateFailure(error: unknown, { label, place }: CommandTarget): CommandError {
  const located = locateTargetError(error, label, place);
  if (!(located instanceof CommandError)) throw located;
  printMessage(located.message);
  return located;
}

/** Builds the report of a target, with a row for each wave. */
function reportOf({ target: { label, waves }, portions, notBegun }: TargetEnd): ReportLines {
  const lines = portions.flatMap(({ result, error }) =>
    result ? renderSummary(label, result).slice(1) : [error!],
  );
  const [only] = portions;
  if (waves.length === 0)
    return only?.result ? renderSummary(label, only.result) : [only?.error ?? label];
  const rows = [
    ...portions.map(({ wave, result }) => [wave!.name, ...countsOf(result)]),
    ...notBegun.map(({ name }) => [name, 'not started', '', '', '']),
  ];
  const failed = portions.reduce(
    (sum, { result }) => sum + failedSchemas(result?.failures ?? []).size,
    0,
  );
  const end = notBegun.length > 0 ? 'stopped' : 'done';
  const head = ['wave', 'state', 'customers', 'files applied', 'customers failed'];
  return [
    `${label}: ${end}, ${countOf(failed, 'customer')} failed`,
    { head, rows, isNumber: (column) => column > 1 },
    ...lines,
  ];
}

function countsOf(result: ApplyResult | undefined): readonly string[] {
  if (!result) return ['failed', '', '', ''];
  const failed = failedSchemas(result.failures).size;
  const state = failed > 0 ? 'failed' : result.stale.length > 0 ? 'stale' : 'done';
  return [state, ...[result.schemaCount, result.applied.length, failed].map(String)];
}

/** Annotates failed statements in their files. */
function annotate(
  { migrations: { set } }: CommandTarget,
  { failures }: ApplyResult,
): readonly Annotation[] {
  return failures.flatMap(({ schema, path, statement, message }) =>
    statement
      ? [
          {
            file: `${set.folder}/${path}`,
            line: statement.line,
            message: `${nameSchema(schema)}: ${message}`,
          },
        ]
      : [],
  );
}

/** Builds the document of a target for `--json`. */
function documentOf({ target: { label, waves }, portions, notBegun }: TargetEnd): object {
  const errors = portions.flatMap(({ error }) => error ?? []);
  const results = portions.flatMap(({ result }) => result ?? []);
  const [only] = results;
  if (waves.length === 0) {
    return { target: label, ...(errors.length > 0 ? { error: errors[0] } : only) };
  }
  return {
    target: label,
    ...(errors.length > 0 && { error: errors[0] }),
    waves: [
      ...portions.map(({ wave, result }) => ({ wave: wave!.name, ...result })),
      ...notBegun.map((wave) => ({ wave: wave.name, notBegun: wave.schemas })),
    ],
  };
}

/** Prints the script of each target. */
async function scriptAll(
  targets: readonly CommandTarget[],
  options: ApplyCommandOptions,
): Promise<number> {
  refuseUnknownWaves(targets, options.wave);
  const ends = [];
  for (const target of targets) {
    try {
      ends.push(await scriptOf(target, target.address(), options));
    } catch (error) {
      const { exitCode, message } = locateFailure(error, target);
      ends.push({ exitCode, document: { target: target.label, error: message } });
    }
  }
  if (options.json) printJson({ targets: ends.map(({ document }) => document) });
  return worstExitCode(ends.map(({ exitCode }) => exitCode));
}

async function scriptOf(
  target: CommandTarget,
  address: TargetAddress,
  options: ApplyCommandOptions,
): Promise<{ readonly exitCode: number; readonly document: object }> {
  const { migrations, tenants, label, waves } = target;
  const session = openSession(address, 'cdc apply --dry-run');
  try {
    const plan = planApply(migrations, await readTarget(session, migrations), {
      tenants,
      only: options.schema,
      among: schemasOf(waves, options.wave),
      again: options.again,
    });
    const obstacles = await readObstacles(session, plan);
    const script = renderScript(plan, { ...options, obstacles });
    if (!options.json) printScript(script);
    for (const schema of plan.gone) printGone(target, schema);
    const exitCode = plan.gone.length > 0 ? EXIT.unsafe : EXIT.done;
    return { exitCode, document: { target: label, script, gone: plan.gone } };
  } finally {
    await session.close();
  }
}

async function readMatrix(
  { migrations, tenants }: CommandTarget,
  address: TargetAddress,
): Promise<readonly Table[]> {
  const session = openSession(address, 'cdc status');
  try {
    return renderMatrix(
      buildStatus(migrations, await readTarget(session, migrations), { tenants }),
    );
  } finally {
    await session.close();
  }
}

function exitCodeOf({ failures, notBegun, mergeProblems, stale }: ApplyResult): number {
  return worstExitCode([
    ...(mergeProblems.length > 0 || stale.length > 0 ? [EXIT.differences] : []),
    ...failures.map(({ kind }) => (kind === 'unsafe' ? EXIT.unsafe : EXIT.tenantsFailed)),
    ...(notBegun.length > 0 ? [EXIT.tenantsFailed] : []),
  ]);
}
