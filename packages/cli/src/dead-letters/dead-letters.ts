import {
  discardDeadLetters,
  groupDeadLetters,
  readDeadLetters,
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type Session,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { printMessage } from '../print.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { reportTargets, withSession, type TargetReport } from '../target/report-targets.ts';
import { worstExitCode } from '../target/worst-exit-code.ts';

/** Selection of dead letters and refused events for a command. */
export interface DeadLettersCommandOptions extends TargetOptions {
  readonly table?: readonly string[];
  /** Part of the reason. */
  readonly reason?: string;
  readonly id?: readonly string[];
  readonly json?: boolean;
}

/** Lists dead letters and refused events by table and reason. Returns 1 if there are some. */
export function listDeadLetters(options: DeadLettersCommandOptions): Promise<number> {
  return reportDeadLetters(options, async (session, filter) => {
    const groups = await groupDeadLetters(session, filter);
    return {
      exitCode: groups.length > 0 ? EXIT.differences : EXIT.done,
      lines: groups.length > 0 ? groups.map(renderGroup) : [NONE],
      document: { groups },
    };
  });
}

export interface ShowDeadLettersOptions extends DeadLettersCommandOptions {
  readonly limit: number;
}

/** Prints complete events, the oldest first. */
export function showDeadLetters({ limit, ...options }: ShowDeadLettersOptions): Promise<number> {
  return reportDeadLetters(options, async (session, filter) => {
    const deadLetters = await readDeadLetters(session, filter, limit);
    return {
      exitCode: deadLetters.length > 0 ? EXIT.differences : EXIT.done,
      lines: deadLetters.length > 0 ? deadLetters.flatMap(renderDeadLetter) : [NONE],
      document: { letters: deadLetters },
    };
  });
}

export interface DiscardDeadLettersOptions extends DeadLettersCommandOptions {
  readonly dryRun?: boolean;
}

/** Deletes the events that a filter selects. */
export async function discard({ dryRun, ...options }: DiscardDeadLettersOptions): Promise<number> {
  if (!options.table && options.reason === undefined && !options.id) {
    throw new CommandError(
      'expected --table, --reason or --id: discarded events cannot be restored; to discard all events of a schema, name each table in --table',
    );
  }
  const ask = async (session: Session, filter: DeadLetterFilter) => {
    const groups = await (dryRun ? groupDeadLetters : discardDeadLetters)(session, filter);
    const verb = dryRun ? 'would discard' : 'discarded';
    return {
      exitCode: EXIT.done,
      lines: groups.length > 0 ? groups.map((group) => `${verb} ${renderGroup(group)}`) : [NONE],
      document: { [dryRun ? 'wouldDiscard' : 'discarded']: groups },
    };
  };
  return reportDeadLetters(options, ask, (targets) => {
    if (options.id && targets.length > 1)
      throw new CommandError(
        `--id: expected --sink too, because each database has its own ids; known: ${targets.map(({ migrations }) => migrations.set.name).join(', ')}`,
      );
  });
}

const NONE = 'no dead letters or refused events';

async function reportDeadLetters(
  options: DeadLettersCommandOptions,
  ask: (session: Session, filter: DeadLetterFilter) => Promise<TargetReport>,
  refuse?: (targets: readonly CommandTarget[]) => void,
): Promise<number> {
  const { schema: schemas, table: tables, reason, id: ids, env } = options;
  let unknown = tables ?? [];
  let unknownIds = ids ?? [];
  const exitCode = await reportTargets(
    options,
    (target) =>
      withSession(target, 'cdc dead-letters', async (session) => {
        unknown = unknown.filter((name) => !isDefined(target, name));
        // Tables that were retired have letters too.
        const others = unknown.length > 0 ? await groupDeadLetters(session, { schemas }) : [];
        unknown = unknown.filter((name) => !others.some((one) => namesOf(one).includes(name)));
        if (unknownIds.length > 0) {
          const found = await readDeadLetters(session, { ids: unknownIds }, unknownIds.length);
          unknownIds = unknownIds.filter((id) => !found.some((one) => one.id === id));
        }
        const report = await ask(session, { schemas, tables, reason, ids });
        return {
          ...report,
          lines: [`${target.label}:`, ...report.lines.map((line) => `  ${line}`)],
        };
      }).catch((error: unknown) => {
        [unknown, unknownIds] = [[], []]; // what is there is not known
        throw error;
      }),
    refuse,
  );
  if (unknown.length === 0 && unknownIds.length === 0) return exitCode;
  if (unknown.length > 0) printMessage(`dead-letters: no table ${unknown.join(', ')} in ${env}`);
  if (unknownIds.length > 0)
    printMessage(
      `dead-letters: no dead letter or refused event ${unknownIds.join(', ')} in ${env}; dead-letters list shows the ids`,
    );
  return worstExitCode([exitCode, EXIT.usage]);
}

/** Tests if a table of the configuration is named so, in any of its schemas. */
function isDefined({ migrations, tenants }: CommandTarget, name: string): boolean {
  return migrations.tables.some(({ name: table, schema }) =>
    (schema.scope === 'tenant' ? tenants : [schema.name]).some((one) =>
      namesOf({ schema: one, table }).includes(name),
    ),
  );
}

function namesOf(of: Pick<DeadLetterGroup, 'schema' | 'table'>): readonly (string | null)[] {
  return [of.table, tableOf(of)];
}

/** Renders a group: `blue.Distrikt: 2 dead letters (4711 to 4720), 2026-01-31T12:00:00Z: value too long`. */
function renderGroup(group: DeadLetterGroup): string {
  const { kind, reason, count, firstId, lastId, firstAt, lastAt } = group;
  const ids = firstId === lastId ? firstId : `${firstId} to ${lastId}`;
  const at = firstAt === lastAt ? firstAt : `${firstAt} to ${lastAt}`;
  return `${tableOf(group)}: ${countOf(count, kind)} (${ids}), ${at}: ${reason}`;
}

function renderDeadLetter(deadLetter: DeadLetter): readonly string[] {
  const { kind, id, at, position, reason, event } = deadLetter;
  const { generation, partition, offset } = position;
  const location = `generation ${generation ?? '?'}, partition ${partition ?? '?'}, offset ${offset ?? '?'}`;
  return [
    `${tableOf(deadLetter)}: ${kind} ${id}, ${at}, ${location}`,
    `  reason: ${reason}`,
    `  event: ${JSON.stringify(event)}`,
  ];
}

function tableOf({ schema, table }: Pick<DeadLetterGroup, 'schema' | 'table'>): string {
  return `${schema ?? '?'}.${table ?? '?'}`;
}
