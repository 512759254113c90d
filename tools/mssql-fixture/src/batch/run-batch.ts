import { setTimeout as wait } from 'node:timers/promises';
import { notRun, raise, SqlServerError } from '../engine/sql-server-error.ts';
import { rowOf } from '../engine/open-engine.ts';
import type { Relation, Row, Variable } from '../engine/relation.ts';
import { INT, type SqlType, type SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { statementScope } from '../sql/compile-query.ts';
import { convertValue } from '../sql/convert-value.ts';
import { NO_ROWS } from '../sql/scope.ts';
import {
  checkRead,
  nodeOf,
  parseBatch,
  partsOf,
  typeOf,
  type ConditionalBlock,
  type Expression,
  type Statement,
  type Statements,
} from '../sql/syntax.ts';
import type { BatchEvent } from './batch-event.ts';
import { errorMessage } from './error-message.ts';
import { callProcedure, type Argument } from './call-procedure.ts';
import { databaseRoles, type Frame } from './session.ts';

/** Events of statements. The return value `over` ends the batch. */
type StatementRun = AsyncGenerator<BatchEvent, 'over' | undefined | void>;

const RUN: {
  readonly [K in keyof Statements]: (statement: Statements[K], frame: Frame) => StatementRun;
} = {
  Query: runQuery,
  Declare: async function* ({ stmts }, frame) {
    for (const { names, data_type, assignment } of stmts) {
      const name = names[0]?.value ?? '';
      if (frame.variables.has(variableName(name))) throw raise(134, [name]);
      const type = typeOf(data_type);
      const initial = assignment
        ? evaluate(frame, assignment.MsSqlAssignment)
        : { type, value: null };
      frame.variables.set(variableName(name), { type, value: converted(initial, type) });
    }
  },
  Set: async function* ({ SingleAssignment: assignment }, frame) {
    const [value] = assignment?.values ?? [];
    const name = assignment ? (partsOf(assignment.variable)[0] ?? '') : '';
    if (name.startsWith('@') && value) setVariable(frame, name, evaluate(frame, value));
    yield done();
  },
  Use: async function* ({ Object: name }, frame) {
    const { session, host } = frame;
    const wanted = partsOf(name)[0] ?? '';
    const entry = host.engine.database(wanted);
    if (!entry) throw raise(911, [wanted]);
    if (!databaseRoles(session, entry.name)) throw raise(916, [session.login.name, entry.name]);
    yield { kind: 'database', from: session.databaseName, to: entry.name };
    session.databaseName = entry.name;
    yield done();
  },
  WaitFor: async function* ({ expr }, { signal, ...frame }) {
    const delay = String(evaluate({ ...frame, signal }, expr).value);
    const [, hours = 0, minutes = 0, seconds = 0] =
      /^(\d+):(\d+)(?::(\d+(?:\.\d+)?))?$/.exec(delay) ?? [];
    const delayMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    await wait(delayMs, undefined, { signal });
    yield done();
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
    yield done();
  },
  Drop: async function* ({ if_exists, names }, { session }) {
    for (const table of names.map((name) => partsOf(name)[0] ?? '')) {
      const isDropped = session.temporaryTables.delete(table.toLowerCase());
      if (!isDropped && !if_exists) throw raise(3701, [table]);
    }
    yield done();
  },
  Insert: async function* (statement, frame) {
    checkRead(statement, ['into', 'table', 'columns', 'source']);
    const {
      table: { TableName },
      columns,
      source,
    } = statement;
    const [name = ''] = partsOf(TableName);
    const table = frame.session.temporaryTables.get(name.toLowerCase());
    if (!table)
      throw name.startsWith('#')
        ? raise(208, [name])
        : notRun('INSERT into tables that are not temporary');
    const { columns: given, run } = compiled(frame, source);
    const names =
      columns.length > 0
        ? columns.map((column) => partsOf(column)[0] ?? '')
        : table.columns.map((column) => column.name);
    if (names.length !== given.length) throw raise(213);
    const rows = run(undefined).map((row) => insertedRow(table, names, { row, given }));
    frame.session.temporaryTables.set(name.toLowerCase(), {
      ...table,
      rows: [...table.rows, ...rows],
    });
    yield done(rows.length);
  },
  If: async function* ({ if_block, else_block }, frame) {
    const scope = statementScope(frame);
    const isTrue = if_block.condition && scope.compile.condition(if_block.condition, scope);
    const branch = isTrue?.(NO_ROWS) === true ? if_block : else_block;
    return branch ? yield* runStatements(statementsOf(branch), frame) : undefined;
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

/** Builds the end of a statement without a result. */
function done(rowCount?: number): BatchEvent {
  return { kind: 'done', rowCount };
}

/**
 * Runs a batch and yields its events. An error becomes a message and ends the batch, unless it came from a procedure,
 * as in SQL Server. A client's mistake throws nothing else.
 */
export async function* runBatch(batch: string, frame: Frame): AsyncGenerator<BatchEvent> {
  try {
    yield* runText(batch, frame);
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    yield { kind: 'message', message: errorMessage(error) };
    yield done();
  }
}

/** Runs the statements of a text. The whole text is parsed before the first statement runs. */
async function* runText(text: string, frame: Frame): StatementRun {
  return yield* runStatements(parseBatch(text), frame);
}

async function* runStatements(statements: readonly Statement[], frame: Frame): StatementRun {
  for (const statement of statements) {
    frame.signal.throwIfAborted();
    const [kind, body] = nodeOf(statement);
    const run = RUN[kind as keyof Statements] as
      ((statement: unknown, frame: Frame) => StatementRun) | undefined;
    if (!run) throw notRun(kind.toUpperCase());
    if ((yield* run(body, frame)) === 'over') return 'over';
  }
  return undefined;
}

function statementsOf({ conditional_statements }: ConditionalBlock): readonly Statement[] {
  return Object.values(conditional_statements)[0]?.statements ?? [];
}

/** Runs a SELECT. Yields its rows, or assigns the last row's values to variables. */
async function* runQuery(query: Statements['Query'], frame: Frame): StatementRun {
  const { columns, run, assigned } = compiled(frame, query);
  const rows = run(undefined);
  if (assigned.length === 0) {
    yield { kind: 'rows', columns, rows };
    yield done(rows.length);
    return;
  }
  const row = rows.at(-1);
  assigned.forEach((name, i) => {
    if (row) setVariable(frame, name, { type: columns[i]?.type ?? INT, value: row[i] ?? null });
  });
  yield done();
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
  const values = names.map((name, i) => {
    const column = columns.find((other) => other.name.toLowerCase() === name.toLowerCase());
    if (!column) throw raise(207, [name]);
    const value = { type: given[i]?.type ?? column.type, value: row[i] ?? null };
    return [column.name, converted(value, column.type)] as const;
  });
  const withFallback = columns.map((column) => ({ ...column, fallback: null }));
  return rowOf({ columns: withFallback }, Object.fromEntries(values));
}

/** Evaluates an expression that uses no table itself. */
function evaluate(frame: Frame, expression: Expression): Variable {
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

/** Assigns a variable a value of its type. Throws 137 for an undeclared variable. */
function setVariable(frame: Frame, name: string, value: Variable): void {
  const variable = frame.variables.get(variableName(name));
  if (!variable) throw raise(137, [`@${variableName(name)}`]);
  const { type } = variable;
  frame.variables.set(variableName(name), { type, value: converted(value, type) });
}

function variableName(name: string): string {
  return name.replace(/^@/, '').toLowerCase();
}

/** Converts a value to a type. */
function converted({ type, value }: Variable, to: SqlType): SqlValue {
  return convertValue(value, { from: type, to, style: 0 });
}

/** Runs sp_executesql with text, declarations and values. Returns the variables afterwards. */
export async function* executeText(
  frame: Frame,
  [text, declarations, ...values]: readonly Argument[],
): AsyncGenerator<BatchEvent, Frame['variables']> {
  const inner: Frame = { ...frame, variables: new Map() };
  const declared = String(declarations?.value ?? '').replace(/\s+(OUTPUT|OUT)\b/gi, '');
  // DECLARE has no events, so the first step runs all of it.
  if (declared.trim() !== '') await runText(`DECLARE ${declared}`, inner).next();
  const names = [...inner.variables.keys()];
  values.forEach(({ name, ...value }, i) => {
    const target = name === '' ? (names[i] ?? '') : name;
    if (!inner.variables.has(target.toLowerCase())) throw raise(8145, [target, '']);
    setVariable(inner, target, value);
  });
  yield* runText(String(text?.value ?? ''), inner);
  return inner.variables;
}
