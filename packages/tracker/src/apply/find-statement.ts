import { ROLLBACK } from './file-transaction.ts';
import type { Session } from '../session/session.ts';
import { splitStatements } from '../migrations/split-statements.ts';
import { TargetError } from '../session/target-error.ts';

/** The failed statement of a file. */
export interface FailedStatement {
  /** Line in the sent body, from 1. */
  readonly line: number;
  /** First line of the statement. */
  readonly text: string;
}

/** A failed statement and its position. */
export interface FoundStatement extends FailedStatement {
  readonly offset: number;
}

interface FailedText {
  /** SQL that begins the transaction. */
  readonly begin: string;
  readonly body: string;
  /** Position of the failure in the body, if the target reports one. */
  readonly offset: number | undefined;
  /** SQLSTATE of the failure. */
  readonly code: string;
}

/**
 * Finds the failed statement of a text. If the target does not report it, the statements run again one by one in a
 * transaction that is rolled back. Returns undefined if they succeed now or fail for another reason.
 */
export async function findStatement(
  session: Session,
  { begin, body, offset, code }: FailedText,
): Promise<FoundStatement | undefined> {
  const statements = splitStatements(body);
  if (offset !== undefined) {
    const at = statements.findLast((statement) => statement.offset <= offset);
    return at && { line: lineOf(body, at.offset), text: firstLine(at.text), offset: at.offset };
  }
  await session.query(begin);
  try {
    for (const { offset: from, text } of statements) {
      try {
        await session.execute(text);
      } catch (error) {
        if (!(error instanceof TargetError)) throw error;
        // A lock that another session holds now is not the cause of the failure.
        if (error.code !== code) return undefined;
        return { line: lineOf(body, from), text: firstLine(text), offset: from };
      }
    }
    return undefined;
  } finally {
    if (!session.isLost) await session.execute(ROLLBACK);
  }
}

const SHOWN_LETTERS = 120;

function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > SHOWN_LETTERS ? `${line.slice(0, SHOWN_LETTERS)}…` : line;
}

/** Returns the line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
