import { ROLLBACK } from './file-transaction.ts';
import type { Session } from '../session/session.ts';
import { splitStatements } from '../migrations/split-statements.ts';
import { TargetError } from '../session/target-error.ts';

/** The statement of a file that failed. */
export interface FailedStatement {
  /** Line of the body that was sent, from 1. */
  readonly line: number;
  /** Its first line. */
  readonly text: string;
}

/** A statement that failed, and where its text begins. */
export interface FoundStatement extends FailedStatement {
  readonly offset: number;
}

interface FailedText {
  /** Begins the transaction. */
  readonly begin: string;
  readonly body: string;
  /** Where in the body the target says that it failed, if it says so. */
  readonly offset: number | undefined;
  /** SQLSTATE of the failure. */
  readonly code: string;
}

/**
 * Which statement of a text failed. Where the target does not say, the statements are run once more, one by one, in a
 * transaction that is rolled back; undefined when they succeed now, or fail for another reason.
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
        // A lock that somebody else holds now says nothing about the failure.
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

/** Line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
