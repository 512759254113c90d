import { setTimeout as wait } from 'node:timers/promises';
import { raise, SqlServerError } from '../engine/sql-server-error.ts';
import type { Statement } from '../tsql/ast.ts';
import { asServerError, errorMessage, infoMessage } from './error-message.ts';
import { evaluate, isTrue } from './evaluate.ts';
import { done, runStatement, runStatements, type StatementRun } from './run-batch.ts';
import { databaseRoles, type Frame } from './session.ts';

type Control = Extract<
  Statement,
  {
    kind:
      | 'if'
      | 'while'
      | 'block'
      | 'try'
      | 'wait'
      | 'transaction'
      | 'use'
      | 'print'
      | 'raiserror'
      | 'throw';
  }
>;

/** Statements that steer the batch or the session. */
export async function* runControl(statement: Control, frame: Frame): StatementRun {
  switch (statement.kind) {
    case 'if': {
      const branch = isTrue(frame, statement.condition) ? statement.then : statement.otherwise;
      return branch ? yield* runStatement(branch, frame) : 'next';
    }
    case 'while':
      while (isTrue(frame, statement.condition)) {
        frame.signal.throwIfAborted();
        if ((yield* runStatement(statement.body, frame)) === 'over') return 'over';
      }
      return 'next';
    case 'block':
      return yield* runStatements(statement.statements, frame);
    case 'try':
      return yield* runTry(statement, frame);
    case 'wait':
      await wait(delayMs(String(evaluate(frame, statement.delay).value)), undefined, {
        signal: frame.signal,
      });
      yield done();
      return 'next';
    case 'transaction':
      runTransaction(frame, statement);
      yield done();
      return 'next';
    case 'use':
      yield* useDatabase(frame, statement.database, statement.line);
      return 'next';
    case 'print':
      yield {
        kind: 'message',
        message: infoMessage(String(evaluate(frame, statement.expression).value ?? ' ')),
      };
      yield done();
      return 'next';
    case 'raiserror':
      yield { kind: 'message', message: errorMessage(raised(frame, statement)) };
      yield done();
      return 'next';
    case 'throw':
      throw thrown(frame, statement);
  }
}

async function* runTry(
  { attempt, rescue }: Extract<Control, { kind: 'try' }>,
  frame: Frame,
): StatementRun {
  try {
    const inner = { ...frame, depth: frame.depth };
    for await (const event of untilError(runStatements(attempt, inner))) yield event;
    return 'next';
  } catch (error) {
    return yield* runStatements(rescue, { ...frame, caught: asServerError(error) });
  }
}

/** Inside TRY a message of severity 11 or more goes to CATCH, wherever it comes from. */
async function* untilError(run: StatementRun): StatementRun {
  for (;;) {
    const { done: isOver, value } = await run.next();
    if (isOver) return value;
    if (value.kind === 'message' && value.message.severity > 10) {
      const { number, text, severity, state, line, procedure } = value.message;
      throw new SqlServerError(number, text, severity, state, line, procedure);
    }
    yield value;
  }
}

function runTransaction(
  frame: Frame,
  { action, line }: Extract<Control, { kind: 'transaction' }>,
): void {
  const { session } = frame;
  if (action === 'begin') session.transactionDepth++;
  if (action === 'commit') {
    if (session.transactionDepth === 0) throw raise(3902, [], { line });
    session.transactionDepth--;
  }
  if (action === 'rollback') {
    if (session.transactionDepth === 0) throw raise(3903, [], { line });
    session.transactionDepth = 0;
  }
}

async function* useDatabase(frame: Frame, name: string, line: number): StatementRun {
  const { session, host } = frame;
  const entry = host.engine.database(name);
  if (!entry) throw raise(911, [name], { line });
  if (!databaseRoles(session, entry.name)) {
    throw raise(916, [session.login.name, entry.name], { line });
  }
  yield { kind: 'database', from: session.databaseName, to: entry.name };
  session.databaseName = entry.name;
  yield done();
  return 'next';
}

/** `00:00:05` or `00:00:00.250` in milliseconds. */
function delayMs(text: string): number {
  const [, hours = 0, minutes = 0, seconds = 0] =
    /^(\d+):(\d+)(?::(\d+(?:\.\d+)?))?$/.exec(text) ?? [];
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}

function raised(
  frame: Frame,
  { args, line }: Extract<Control, { kind: 'raiserror' }>,
): SqlServerError {
  const [message, severity, state, ...values] = args.map((arg) => evaluate(frame, arg).value);
  let next = 0;
  const text = String(message).replace(/%-?\d*\.?\*?\d*l?[sdiux]/g, () =>
    String(values[next++] ?? '(null)'),
  );
  const number = typeof message === 'number' ? message : 50000;
  return new SqlServerError(number, text, Number(severity ?? 16), Number(state ?? 1), line);
}

function thrown(frame: Frame, { args, line }: Extract<Control, { kind: 'throw' }>): SqlServerError {
  if (args.length === 0 && frame.caught) return frame.caught;
  const [number, message, state] = args.map((arg) => evaluate(frame, arg).value);
  return new SqlServerError(
    Number(number ?? 50000),
    String(message ?? ''),
    16,
    Number(state ?? 1),
    line,
  );
}
