import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import {
  buildStatus,
  findLeftovers,
  isUpToDate,
  listSchemas,
  readConcerns,
  readKnownTables,
  readLocks,
  readTarget,
  WHOLE_DATABASE,
  type Concerns,
  type HeldLock,
  type Leftover,
  type Migrations,
  type Session,
  type Status,
  type TargetState,
  type FileState,
} from '@cdc-migrations/tracker';
import { EXIT } from '../exit-code.ts';
import { joinAlike, type SchemaLines } from '../target/join-alike.ts';
import { nameSchema } from '../target/name-schema.ts';
import {
  EMBEDDED,
  openTargets,
  type CommandTarget,
  type TargetOptions,
  type TargetWave,
} from '../target/open-targets.ts';
import {
  printReports,
  reportTargets,
  withSession,
  type TargetReport,
} from '../target/report-targets.ts';
import type { Format, Table } from '../report-lines.ts';
import { selectTargets } from '../target/select-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { countOf } from '../count-of.ts';
import { listTroubles, renderConcerns, renderLocks } from './render-concerns.ts';
import { renderMatrix } from './render-matrix.ts';

export interface StatusCommandOptions extends TargetOptions {
  readonly offline?: boolean;
  readonly json?: boolean;
  readonly format?: Format;
}

/**
 * Prints the state of files and the problems that keep events from the final tables. Returns the exit code: 1 if
 * something is pending or events do not arrive, 6 if a file was edited.
 */
export async function status(options: StatusCommandOptions): Promise<number> {
  if (options.offline) return statusOffline(options);
  return reportTargets(options, (target) =>
    withSession(target, 'cdc status', (session) => readStatus(session, target, options.schema)),
  );
}

/** Reads the status of a target, or of the schemas that globs select. */
export async function readStatus(
  session: Session,
  target: CommandTarget,
  only: readonly string[] | undefined,
): Promise<StatusReport> {
  const { migrations, tenants, knownTenants } = target;
  const scope = { tenants, knownTenants, only };
  const schemas = listSchemas(migrations, scope);
  const [state, concerns, locks, tables] = await Promise.all([
    readTarget(session, migrations),
    readConcerns(session),
    readLocks(session, migrations.set.name, [WHOLE_DATABASE, ...schemas]),
    readKnownTables(session),
  ]);
  const found = buildStatus(migrations, state, scope);
  const known = state.hasHistory ? concerns : { ...concerns, mergeProblems: [] };
  const own = only ? onlyOf(found, known) : known;
  const leftovers = findLeftovers(tables ?? [], migrations, scope);
  return describe(target, found, { ...own, isStandby: state.isStandby, locks, leftovers });
}

/**
 * Prints the status without a connection, without starting the embedded PostgreSQL and without variables of a server.
 */
function statusOffline(options: StatusCommandOptions): number {
  const { targets } = openTargets(
    options,
    options.env === EMBEDDED ? connectsToNothing : undefined,
  );
  const reports = selectTargets(targets, options.schema).map((target) =>
    tellOffline(target, options),
  );
  return printReports(reports, options);
}

function connectsToNothing(): never {
  throw new Error('status --offline connects to nothing');
}

function tellOffline(
  { label, migrations, tenants }: CommandTarget,
  { schema: only }: StatusCommandOptions,
): TargetReport {
  const { files, problems } = migrations;
  const schemas = listSchemas(migrations, { tenants, only });
  return {
    exitCode: worstExitCode(exitCodesOf(migrations)),
    lines: [
      `${label}: ${countOf(files.length, 'file')} for ${countOf(schemas.length, 'schema')}; applied files are unknown offline`,
      ...problems.map(({ message }) => message),
    ],
    document: { target: label, schemas, files: files.map(({ path }) => path), problems },
  };
}

/** Removes problems of other schemas, for `--schema`. */
function onlyOf({ schemas }: Status, concerns: Concerns): Concerns {
  const shown = new Set([null, MANAGEMENT_SCHEMA, ...schemas.map(({ schema }) => schema)]);
  const only = <Item extends { readonly schema: string | null }>(items: readonly Item[]) =>
    items.filter(({ schema }) => shown.has(schema));
  return {
    mergeProblems: only(concerns.mergeProblems),
    lockedStaging: only(concerns.lockedStaging),
    heldMerges: only(concerns.heldMerges),
    failingMerges: only(concerns.failingMerges),
    lostStaging: only(concerns.lostStaging),
    deadLetters: only(concerns.deadLetters),
    refusedEvents: only(concerns.refusedEvents),
    columns: only(concerns.columns),
    backfill: only(concerns.backfill),
  };
}

/** Findings that are not about files. */
interface Findings extends Concerns, Pick<TargetState, 'isStandby'> {
  readonly locks: readonly HeldLock[];
  readonly leftovers: readonly Leftover[];
}

/** What `status --json` prints of a target. */
export interface StatusDocument extends Status, Findings {
  readonly problems: Migrations['problems'];
  /** Left out if the sink group has none. */
  readonly waves?: readonly WaveStatus[];
}

interface StatusReport extends TargetReport {
  readonly document: StatusDocument;
}

function describe(
  { label, migrations, waves: all }: CommandTarget,
  found: Status,
  { isStandby, locks, leftovers, ...concerns }: Findings,
): StatusReport {
  const isDone = isUpToDate(found);
  const waves = countWaves(all, found);
  const troubles = listTroubles(concerns);
  const errors = found.schemas.flatMap(({ schema, files }) =>
    files.flatMap(({ path, error }) =>
      error ? [{ schema, lines: renderError(schema, path, error) }] : [],
    ),
  );
  const edited = found.schemas.some(({ files }) => files.some(({ state }) => state === 'edited'));
  return {
    exitCode: worstExitCode([
      ...exitCodesOf(migrations),
      ...(edited ? [EXIT.edited] : []),
      isDone && troubles.length === 0 && leftovers.length === 0 ? EXIT.done : EXIT.differences,
    ]),
    lines: [
      `${label}: ${[isDone ? 'all applied' : 'not all applied', ...troubles].join(', ')}`,
      ...migrations.problems.map(({ message }) => message),
      ...renderMatrix(found),
      ...renderWaves(waves),
      ...(found.pendingManual.length > 0
        ? [`pending hand-written files: ${found.pendingManual.join(', ')}`]
        : []),
      ...joinAlike(errors),
      ...joinAlike(leftovers.map(describeLeftover)),
      ...(isStandby ? [STANDBY] : []),
      ...renderLocks(locks),
      ...renderConcerns(concerns),
    ],
    document: {
      problems: migrations.problems,
      ...found,
      ...(waves.length > 0 && { waves }),
      isStandby,
      ...concerns,
      locks,
      leftovers,
    },
  };
}

/** Renders the error of a file, which may have lines for hint, detail and context. */
function renderError(schema: string, path: string, error: string): readonly string[] {
  const [first, ...more] = error.split('\n');
  return [`${nameSchema(schema)} ${path}: ${first}`, ...more.map((line) => `  ${line}`)];
}

function describeLeftover({ schema, table, message }: Leftover): SchemaLines {
  return {
    schema,
    lines: [`${table === null ? schema : `${schema}.${table}`}: ${message}`],
  };
}

const STANDBY =
  'this is a standby: it does not know of a loss of staged events until its primary has detected it';

function exitCodesOf({ problems }: Migrations): readonly number[] {
  return problems.map(({ problem }) => (problem === 'edited' ? EXIT.edited : EXIT.differences));
}

/** Progress of a wave: schemas by the worst state of their files. */
interface WaveStatus {
  readonly wave: string;
  readonly customers: number;
  readonly applied: number;
  readonly pending: number;
  readonly failed: number;
}

const FAILED: ReadonlySet<FileState> = new Set(['failed', 'unsafe', 'edited', 'missing']);

/** Counts the schemas of each wave that are part of a status. */
function countWaves(
  waves: readonly TargetWave[],
  { schemas: found }: Status,
): readonly WaveStatus[] {
  const states = new Map(
    found.map(({ schema, files }) => [schema, new Set(files.map(({ state }) => state))]),
  );
  return waves.map(({ name, schemas }) => {
    const own = schemas.flatMap((schema) => states.get(schema) ?? []);
    const failed = own.filter((each) => [...each].some((state) => FAILED.has(state))).length;
    const applied = own.filter((each) => [...each].every((state) => state === 'applied')).length;
    const pending = own.length - failed - applied;
    return { wave: name, customers: own.length, applied, pending, failed };
  });
}

/** Renders a row for each wave. */
function renderWaves(waves: readonly WaveStatus[]): readonly Table[] {
  if (waves.length === 0) return [];
  return [
    {
      head: ['wave', 'customers', 'applied', 'pending', 'failed'],
      rows: waves.map(({ wave, ...counts }) => [wave, ...Object.values(counts).map(String)]),
      isNumber: (column) => column > 0,
    },
  ];
}
