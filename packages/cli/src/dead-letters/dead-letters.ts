import {
  discardLetters,
  groupLetters,
  readLetters,
  type Letter,
  type LetterFilter,
  type LetterGroup,
  type Session,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import type { TargetOptions } from '../target/open-targets.ts';
import { reportTargets, withSession, type TargetReport } from '../target/report-targets.ts';

/** Which dead letters and refused events a command is for. */
export interface LettersCommandOptions extends TargetOptions {
  readonly table?: readonly string[];
  /** A part of the reason. */
  readonly reason?: string;
  readonly id?: readonly string[];
  readonly json?: boolean;
}

/** Lists dead letters and refused events by table and reason; exit 1 if there are some. */
export function listLetters(options: LettersCommandOptions): Promise<number> {
  return reportLetters(options, async (session, filter) => {
    const groups = await groupLetters(session, filter);
    return {
      exitCode: groups.length > 0 ? EXIT.differences : EXIT.done,
      lines: groups.length > 0 ? groups.map(renderGroup) : [NONE],
      document: { groups },
    };
  });
}

export interface ShowLettersOptions extends LettersCommandOptions {
  readonly limit: number;
}

/** Prints events whole, the oldest first. */
export function showLetters({ limit, ...options }: ShowLettersOptions): Promise<number> {
  return reportLetters(options, async (session, filter) => {
    const letters = await readLetters(session, filter, limit);
    return {
      exitCode: letters.length > 0 ? EXIT.differences : EXIT.done,
      lines: letters.length > 0 ? letters.flatMap(renderLetter) : [NONE],
      document: { letters },
    };
  });
}

export interface DiscardLettersOptions extends LettersCommandOptions {
  readonly dryRun?: boolean;
}

/** Deletes events that nobody needs; a filter says which. */
export async function discard({ dryRun, ...options }: DiscardLettersOptions): Promise<number> {
  if (!options.table && options.reason === undefined && !options.id) {
    throw new CommandError(
      'expected --table, --reason or --id: discarded events cannot be brought back; to discard all of a schema, give --table for each table',
    );
  }
  return reportLetters(options, async (session, filter) => {
    const groups = await (dryRun ? groupLetters : discardLetters)(session, filter);
    const verb = dryRun ? 'would discard' : 'discarded';
    return {
      exitCode: EXIT.done,
      lines: groups.length > 0 ? groups.map((group) => `${verb} ${renderGroup(group)}`) : [NONE],
      document: { [dryRun ? 'wouldDiscard' : 'discarded']: groups },
    };
  });
}

const NONE = 'no dead letters or refused events';

function reportLetters(
  options: LettersCommandOptions,
  ask: (session: Session, filter: LetterFilter) => Promise<TargetReport>,
): Promise<number> {
  const { schema: schemas, table: tables, reason, id: ids } = options;
  return reportTargets(options, (target) =>
    withSession(target, 'cdc dead-letters', async (session) => {
      const report = await ask(session, { schemas, tables, reason, ids });
      return { ...report, lines: [`${target.label}:`, ...report.lines.map((line) => `  ${line}`)] };
    }),
  );
}

/** `blue.Distrikt: 2 dead letters (4711 to 4720), 2026-01-31T12:00:00Z: value too long`. */
function renderGroup(group: LetterGroup): string {
  const { kind, reason, count, firstId, lastId, firstAt, lastAt } = group;
  const ids = firstId === lastId ? firstId : `${firstId} to ${lastId}`;
  const at = firstAt === lastAt ? firstAt : `${firstAt} to ${lastAt}`;
  return `${tableOf(group)}: ${countOf(count, kind)} (${ids}), ${at}: ${reason}`;
}

function renderLetter(letter: Letter): readonly string[] {
  const { kind, id, at, position, reason, event } = letter;
  const { generation, partition, offset } = position;
  const place = `generation ${generation ?? '?'}, partition ${partition ?? '?'}, offset ${offset ?? '?'}`;
  return [
    `${tableOf(letter)}: ${kind} ${id}, ${at}, ${place}`,
    `  reason: ${reason}`,
    `  event: ${JSON.stringify(event)}`,
  ];
}

function tableOf({ schema, table }: Pick<LetterGroup, 'schema' | 'table'>): string {
  return `${schema ?? '?'}.${table ?? '?'}`;
}
