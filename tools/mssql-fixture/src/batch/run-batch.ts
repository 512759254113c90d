import { messageOf, notRun, raise, SqlServerError } from '../engine/sql-server-error.ts';
import { callProcedure } from '../cdc/procedures.ts';
import type { Relation, Row } from '../engine/views.ts';
import { statementScope } from '../sql/compile-query.ts';
import { convertValue } from '../sql/convert-value.ts';
import { NO_ROWS } from '../sql/scope.ts';
import {
  checkRead,
  nodeOf,
  parseBatch,
  partsOf,
  typeOf,
  type Expression,
  type Statement,
  type Statements,
} from '../sql/syntax.ts';
import type { Argument, RpcCall } from '../tds/parse-request.ts';
import type { ResultColumn, SqlType, SqlValue } from '../tds/sql-type.ts';
import { isSendable, type TypedValue } from '../tds/typed-value.ts';
import { parseNames } from './resolve-relation.ts';
import { databaseRoles, type BatchEvent, type Frame } from './session.ts';

type Events = AsyncGenerator<BatchEvent, void>;

const RUN: {
  readonly [K in keyof Statements]: (statement: Statements[K], frame: Frame) => Events;
} = {
  Query: async function* (query, frame) {
    const { columns, run } = compiled(frame, query);
    const unsent = columns.find(({ type }) => !isSendable(type));
    if (unsent) throw notRun(`results of type ${unsent.type.name}, which need CONVERT to text`);
    const rows = run(undefined);
    yield { kind: 'rows', columns, rows };
    yield { kind: 'done', rowCount: rows.length };
  },
  Declare: async function* ({ stmts }, frame) {
    for (const { names, data_type, assignment } of stmts) {
      const name = names[0]?.value ?? '';
      const key = name.slice(1).toLowerCase();
      if (frame.variables.has(key)) throw raise(134, [name]);
      const type = typeOf(data_type);
      const initial = assignment && evaluate(frame, assignment.MsSqlAssignment);
      frame.variables.set(key, { type, value: initial ? converted(initial, type) : null });
    }
  },
  Set: async function* ({ SingleAssignment: assignment }) {
    if (assignment && partsOf(assignment.variable)[0]?.startsWith('@'))
      throw notRun('SET of variables');
    yield { kind: 'done' };
  },
  Use: async function* ({ Object: name }, { session, engine }) {
    const wanted = partsOf(name)[0] ?? '';
    const database = engine.database(wanted);
    if (!database) throw raise(911, [wanted]);
    if (!databaseRoles(session.login, database.name))
      throw raise(916, [session.login.name, database.name]);
    yield { kind: 'database', from: session.database.name, to: database.name };
    session.database = database;
    yield { kind: 'done' };
  },
  CreateTable: async function* ({ name, columns }, { session }) {
    const [table = ''] = partsOf(name);
    if (!table.startsWith('#')) throw notRun('CREATE TABLE of tables that are not temporary');
    if (session.temporaryTables.has(table.toLowerCase())) throw raise(2714, [table]);
    const typed = columns.map((column) => ({
      name: column.name.value,
      type: typeOf(column.data_type),
    }));
    session.temporaryTables.set(table.toLowerCase(), { columns: typed, rows: [] });
    yield { kind: 'done' };
  },
  Insert: async function* (statement, frame) {
    checkRead(statement, ['into', 'table', 'columns', 'source']);
    const { table: target, columns, source } = statement;
    const name = partsOf(target.TableName)[0]?.toLowerCase() ?? '';
    const table = frame.session.temporaryTables.get(name);
    if (!table) throw raise(208, [name]);
    const { columns: given, run } = compiled(frame, source);
    if (columns.length !== given.length) throw raise(213);
    const names = columns.map((column) => partsOf(column)[0] ?? '');
    const added = run(undefined).map((row) => insertedRow(table, names, { row, given }));
    frame.session.temporaryTables.set(name, { ...table, rows: [...table.rows, ...added] });
    yield { kind: 'done', rowCount: added.length };
  },
  If: async function* ({ if_block, else_block }, frame) {
    if (else_block) throw notRun('ELSE');
    const scope = statementScope(frame);
    if (scope.compile.condition(if_block.condition, scope)(NO_ROWS) !== true) return;
    const { statements } = Object.values(if_block.conditional_statements)[0] ?? { statements: [] };
    yield* runStatements(statements, frame);
  },
  Execute: async function* ({ name, parameters }, frame) {
    const args = parameters.map((parameter) => argumentOf(parameter, frame));
    const parts = partsOf(name);
    if (parts.at(-1)?.toLowerCase() === 'sp_executesql') yield* executeText(frame, args);
    else yield* callProcedure(frame, parts, args);
  },
  Throw: async function* ({ error_number, message, state }, frame) {
    const [number, text, at] = [error_number, message, state].map(
      (part) => evaluate(frame, part).value,
    );
    throw new SqlServerError(Number(number), String(text), 16, Number(at));
  },
};

/**
 * Runs a batch and yields its events. An error becomes a message and ends the batch, unless it came from a procedure,
 * as in SQL Server. A client's mistake throws nothing else.
 */
export async function* runBatch(batch: string, frame: Frame): Events {
  try {
    yield* runText(batch, frame);
  } catch (error) {
    yield errorEvent(error);
    yield { kind: 'done' };
  }
}

/** Runs a remote procedure call. Errors are messages, as in a batch. */
export async function* runCall({ procedure, args }: RpcCall, frame: Frame): Events {
  try {
    if (procedure !== 'sp_executesql') {
      yield* callProcedure(frame, parseNames(procedure), args);
      return;
    }
    yield* executeText(frame, args);
    yield { kind: 'status', value: 0 };
  } catch (error) {
    yield errorEvent(error);
    yield { kind: 'status', value: 1 };
  }
}

function errorEvent(error: unknown): BatchEvent {
  if (!(error instanceof SqlServerError)) throw error;
  return { kind: 'message', message: messageOf(error) };
}

/** Runs the statements of a text. The whole text is parsed before the first statement runs. */
async function* runText(text: string, frame: Frame): Events {
  yield* runStatements(parseBatch(text), frame);
}

async function* runStatements(statements: readonly Statement[], frame: Frame): Events {
  for (const statement of statements) {
    frame.signal.throwIfAborted();
    const [kind, body] = nodeOf(statement);
    const run = RUN[kind as keyof Statements] as
      ((statement: unknown, frame: Frame) => Events) | undefined;
    if (!run) throw notRun(kind.toUpperCase());
    yield* run(body, frame);
  }
}

function compiled(frame: Frame, query: Statements['Query']) {
  const scope = statementScope(frame);
  return scope.compile.query(query, scope);
}

function insertedRow(
  { columns }: Relation,
  names: readonly string[],
  { row, given }: { readonly row: Row; readonly given: readonly ResultColumn[] },
): Row {
  return columns.map(({ name, type }) => {
    const at = names.findIndex((other) => other.toLowerCase() === name.toLowerCase());
    return converted({ type: given[at]?.type ?? type, value: row[at] ?? null }, type);
  });
}

/** Evaluates an expression that uses no table itself. */
function evaluate(frame: Frame, expression: Expression): TypedValue {
  const scope = statementScope(frame);
  const { type, value } = scope.compile.expression(expression, scope);
  return { type, value: value(NO_ROWS) };
}

function argumentOf(parameter: Expression, frame: Frame): Argument {
  const { left, op, right } = 'BinaryOp' in parameter ? parameter.BinaryOp : {};
  const name = left && 'Identifier' in left ? left.Identifier.value : '';
  if (op !== 'Eq' || !right || !name.startsWith('@'))
    return { name: '', ...evaluate(frame, parameter) };
  return { name: name.slice(1), ...evaluate(frame, right) };
}

/** Converts a value to a type. */
function converted({ type, value }: TypedValue, to: SqlType): SqlValue {
  return convertValue(value, { from: type, to });
}

/** Runs sp_executesql with text, declarations and values. */
async function* executeText(
  frame: Frame,
  [text, declarations, ...values]: readonly Argument[],
): Events {
  const inner: Frame = { ...frame, variables: new Map() };
  const declared = String(declarations?.value ?? '');
  // DECLARE has no events, so the first step runs all of it.
  if (declared.trim() !== '') await runText(`DECLARE ${declared}`, inner).next();
  const names = [...inner.variables.keys()];
  values.forEach(({ name, ...value }, i) => {
    const key = name === '' ? (names[i] ?? '') : name.toLowerCase();
    const variable = inner.variables.get(key);
    if (!variable) throw raise(8145, [key, '']);
    inner.variables.set(key, { ...variable, value: converted(value, variable.type) });
  });
  yield* runText(String(text?.value ?? ''), inner);
}
