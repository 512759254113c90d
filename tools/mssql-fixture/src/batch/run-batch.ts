import type { Statement } from '../tsql/ast.ts';
import { parseBatch } from '../tsql/parse-batch.ts';
import type { BatchEvent } from './batch-event.ts';
import { asServerError, errorMessage } from './error-message.ts';
import { runControl } from './run-control.ts';
import { runExec } from './run-exec.ts';
import { runSelect } from './run-select.ts';
import { declareVariable, evaluate, setVariable } from './evaluate.ts';
import { createTable, deleteRows, dropTable, insertRows } from './temporary-tables.ts';
import type { Frame } from './session.ts';

/** How a statement ends: the next one runs, or the batch is over. */
type Flow = 'next' | 'over';

/** The events of one statement; what it returns says how the batch goes on. */
export type StatementRun = AsyncGenerator<BatchEvent, Flow>;

type Run<K extends Statement['kind']> = (
  statement: Extract<Statement, { kind: K }>,
  frame: Frame,
) => StatementRun;

const RUN: { readonly [K in Statement['kind']]: Run<K> } = {
  select: runSelect,
  'set-option': async function* () {
    yield done();
    return 'next';
  },
  set: async function* ({ variable, expression, line }, frame) {
    setVariable(frame, { name: variable, value: evaluate(frame, expression), line });
    yield done();
    return 'next';
  },
  declare: async function* (statement, frame) {
    declareVariable(frame, statement);
    return 'next';
  },
  'create-table': async function* ({ name, columns }, frame) {
    createTable(frame, name, columns);
    yield done();
    return 'next';
  },
  'drop-table': async function* ({ name, ifExists, line }, frame) {
    dropTable(frame, { name, ifExists, line });
    yield done();
    return 'next';
  },
  insert: async function* (statement, frame) {
    yield done(insertRows(frame, statement));
    return 'next';
  },
  delete: async function* (statement, frame) {
    yield done(deleteRows(frame, statement));
    return 'next';
  },
  if: runControl,
  while: runControl,
  block: runControl,
  try: runControl,
  wait: runControl,
  transaction: runControl,
  use: runControl,
  print: runControl,
  raiserror: runControl,
  throw: runControl,
  exec: runExec,
  'exec-text': async function* ({ text }, frame) {
    const inner = { ...frame, variables: new Map(), depth: frame.depth + 1 };
    yield* runText(String(evaluate(frame, text).value ?? ''), inner);
    return 'next';
  },
  return: async function* () {
    yield done();
    return 'over';
  },
};

/** A statement without a result is over. */
export function done(rowCount?: number): BatchEvent {
  return { kind: 'done', rowCount };
}

/**
 * Runs a batch and tells what happens. An error becomes a message and, unless it came from a procedure or from
 * RAISERROR, ends the batch, as it does in SQL Server; nothing else is thrown for a client's mistake.
 */
export async function* runBatch(batch: string, frame: Frame): AsyncGenerator<BatchEvent> {
  try {
    yield* runText(batch, frame);
  } catch (error) {
    yield { kind: 'message', message: errorMessage(asServerError(error)) };
    yield done();
  }
}

/** Runs the statements of a text; all of it is parsed before the first one runs. */
export async function* runText(text: string, frame: Frame): StatementRun {
  return yield* runStatements(parseBatch(text), frame);
}

/** Runs statements in order, until one ends the batch. */
export async function* runStatements(statements: readonly Statement[], frame: Frame): StatementRun {
  for (const statement of statements) {
    frame.signal.throwIfAborted();
    if ((yield* runStatement(statement, frame)) === 'over') return 'over';
  }
  return 'next';
}

/** Runs one statement. */
export function runStatement(statement: Statement, frame: Frame): StatementRun {
  const run = RUN[statement.kind] as Run<Statement['kind']>;
  return run(statement, frame);
}
