import {
  buildStatus,
  isUpToDate,
  listSchemas,
  openSession,
  readConcerns,
  readTarget,
  type Concerns,
  type Migrations,
  type Status,
} from '@cdc-migrations/tracker';
import { CommandError, EXIT } from '../exit-code.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import { openTargets, type CommandTarget, type TargetOptions } from '../target/open-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';
import { renderConcerns } from './render-concerns.ts';
import { renderMatrix } from './render-matrix.ts';

export interface StatusCommandOptions extends TargetOptions {
  readonly schema?: readonly string[];
  readonly offline?: boolean;
  readonly json?: boolean;
}

/** Says what is applied where, and returns the exit code: 1 when something is pending, 6 when a file was edited. */
export async function status(options: StatusCommandOptions): Promise<number> {
  if (options.offline) {
    return report(openTargets(options, withoutAddress).targets.map(tellOffline), options);
  }
  return withTargets(options, async ({ targets }) => {
    const ends: End[] = [];
    for (const target of targets) ends.push(await tell(target, options));
    return report(ends, options);
  });
}

/** What there is to say of a target. */
interface End {
  readonly exitCode: number;
  readonly lines: readonly string[];
  /** What `--json` says. */
  readonly document: object;
}

function report(ends: readonly End[], { json }: StatusCommandOptions): number {
  const text = json
    ? JSON.stringify({ targets: ends.map(({ document }) => document) }, null, 2)
    : ends.flatMap(({ lines }) => lines).join('\n');
  process.stdout.write(`${text}\n`);
  return worstExitCode(ends.map(({ exitCode }) => exitCode));
}

function withoutAddress(): never {
  throw new Error('status --offline connects to nothing');
}

function tellOffline({ label, migrations, tenants }: CommandTarget): End {
  const { files, problems } = migrations;
  const schemas = listSchemas(migrations, { tenants });
  return {
    exitCode: worstExitCode(exitCodesOf(migrations)),
    lines: [
      `${label}: ${files.length} files for ${schemas.length} schemas; what is applied is not known offline`,
      ...problems.map(({ message }) => message),
    ],
    document: { target: label, schemas, files: files.map(({ path }) => path), problems },
  };
}

async function tell(target: CommandTarget, { schema: only }: StatusCommandOptions): Promise<End> {
  const { label, migrations, tenants } = target;
  try {
    const session = openSession(target.address(), 'cdc status');
    try {
      const [state, concerns] = await Promise.all([
        readTarget(session, migrations),
        readConcerns(session),
      ]);
      return describe(target, buildStatus(migrations, state, { tenants, only }), concerns);
    } finally {
      await session.close();
    }
  } catch (error) {
    const located = locateTargetError(error, label);
    if (!(located instanceof CommandError)) throw located;
    const document = { target: label, error: located.message };
    return { exitCode: located.exitCode, lines: [located.message], document };
  }
}

function describe({ label, migrations }: CommandTarget, found: Status, concerns: Concerns): End {
  const isDone = isUpToDate(found);
  const errors = found.schemas.flatMap(({ schema, files }) =>
    files.flatMap(({ path, error }) => (error ? [`${schema} ${path}: ${error}`] : [])),
  );
  const edited = found.schemas.some(({ files }) => files.some(({ state }) => state === 'edited'));
  return {
    exitCode: worstExitCode([
      ...exitCodesOf(migrations),
      ...(edited ? [EXIT.edited] : []),
      isDone ? EXIT.done : EXIT.differences,
    ]),
    lines: [
      `${label}: ${isDone ? 'all applied' : 'not all applied'}`,
      ...migrations.problems.map(({ message }) => message),
      ...renderMatrix(found),
      ...(found.pendingManual.length > 0
        ? [`pending files by people: ${found.pendingManual.join(', ')}`]
        : []),
      ...errors,
      ...renderConcerns(concerns),
    ],
    document: { target: label, problems: migrations.problems, ...found, ...concerns },
  };
}

function exitCodesOf({ problems }: Migrations): readonly number[] {
  return problems.map(({ problem }) => (problem === 'edited' ? EXIT.edited : EXIT.differences));
}
