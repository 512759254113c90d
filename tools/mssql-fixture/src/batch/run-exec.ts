import { PROCEDURES } from '../cdc/procedures.ts';
import type { Procedure, ProcedureResult } from '../cdc/procedure.ts';
import { raise, SqlServerError } from '../engine/sql-server-error.ts';
import { INT, type SqlValue } from '../tds/sql-type.ts';
import type { Variable } from '../translate/translation.ts';
import type { NameParts, Statement } from '../tsql/ast.ts';
import { parseBatch } from '../tsql/parse-batch.ts';
import type { BatchEvent } from './batch-event.ts';
import { errorMessage } from './error-message.ts';
import { converted, declareVariable, evaluate, setVariable } from './evaluate.ts';
import { runText, type StatementRun } from './run-batch.ts';
import type { Frame } from './session.ts';

/** An argument as the call gives it: by name or by place, undefined for DEFAULT. */
export interface Argument {
  /** Without `@`; empty for a positional one. */
  readonly name: string;
  readonly value: Variable | undefined;
}

/** EXEC: a procedure that the fixture knows, or sp_executesql. */
export async function* runExec(
  statement: Extract<Statement, { kind: 'exec' }>,
  frame: Frame,
): StatementRun {
  const args = statement.args.map(({ name, value }) => ({
    name,
    value: value && evaluate(frame, value),
  }));
  const name = statement.procedure.at(-1) ?? '';
  if (name.toLowerCase() === 'sp_executesql') {
    const inner = yield* executeText(frame, args);
    for (const [i, { value, isOutput, name: target }] of statement.args.entries()) {
      const result = inner.variables.get((target || (args[i]?.name ?? '')).toLowerCase());
      if (isOutput && value?.kind === 'variable' && result) {
        setVariable(frame, { name: value.name, value: result, line: statement.line });
      }
    }
    return 'next';
  }
  let status = 0;
  const call = { procedure: statement.procedure, args, line: statement.line };
  for await (const event of callProcedure(frame, call)) {
    if (event.kind === 'status') status = event.value;
    yield event;
  }
  if (statement.status !== undefined) {
    const value = { type: INT, value: status };
    setVariable(frame, { name: statement.status, value, line: statement.line });
  }
  return 'next';
}

/** A call of a procedure by its name, `sys.sp_cdc_enable_db` or `AdOpusTest.sys.sp_cdc_enable_db`. */
export interface ProcedureCall {
  readonly procedure: NameParts;
  readonly args: readonly Argument[];
  readonly line: number;
}

/** Runs a procedure; what it refuses is a message, and its status is 1. Throws 201, 2812, 8144, 8145. */
export async function* callProcedure(
  frame: Frame,
  { procedure: parts, args, line }: ProcedureCall,
): AsyncGenerator<BatchEvent> {
  const [name = '', schema, database] = [...parts].reverse();
  const isSystem = /^(sys|dbo|)$/i.test(schema ?? '') && parts.length <= 3;
  const procedure = isSystem ? PROCEDURES.get(name.toLowerCase()) : undefined;
  if (!procedure) throw raise(2812, [parts.join('.')], { line });
  const values = bindArguments(procedure, args);
  try {
    yield* events(procedure.run(values, inDatabase(frame, database, line)));
    yield { kind: 'status', value: 0 };
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    yield { kind: 'message', message: { ...errorMessage(error), procedure: procedure.name } };
    yield { kind: 'status', value: 1 };
  }
}

/** The frame in the database that a call names. */
function inDatabase(frame: Frame, database: string | undefined, line: number): Frame {
  if (!database) return frame;
  const entry = frame.host.engine.database(database);
  if (!entry) throw raise(911, [database], { line });
  return { ...frame, session: { ...frame.session, databaseName: entry.name } };
}

function* events({ messages = [], results = [] }: ProcedureResult): Generator<BatchEvent> {
  for (const message of messages) yield { kind: 'message', message };
  for (const { columns, rows } of results) {
    yield { kind: 'rows', columns, rows };
    yield { kind: 'done', rowCount: rows.length };
  }
}

/** The value of each parameter, by name in lower case. */
function bindArguments(
  { name, parameters }: Procedure,
  args: readonly Argument[],
): ReadonlyMap<string, SqlValue> {
  if (args.length > parameters.length) throw raise(8144, [name]);
  const values = new Map<string, SqlValue>();
  args.forEach((arg, i) => {
    const parameter =
      arg.name === ''
        ? parameters[i]
        : parameters.find((candidate) => candidate.name === arg.name.toLowerCase());
    if (!parameter) throw raise(8145, [arg.name, name]);
    if (arg.value) values.set(parameter.name, converted(arg.value, parameter.type));
  });
  for (const parameter of parameters) {
    if (values.has(parameter.name)) continue;
    if (parameter.fallback === undefined) throw raise(201, [name, parameter.name]);
    values.set(parameter.name, parameter.fallback);
  }
  return values;
}

/** Runs sp_executesql: text, declarations, values. Gives the frame with the parameters as they are afterwards. */
export async function* executeText(
  frame: Frame,
  args: readonly Argument[],
): AsyncGenerator<BatchEvent, Frame> {
  const [text, declarations, ...values] = args;
  const inner: Frame = {
    ...frame,
    variables: new Map(),
    tableVariables: new Map(),
    depth: frame.depth + 1,
  };
  declareParameters(inner, String(declarations?.value?.value ?? ''));
  const names = [...inner.variables.keys()];
  values.forEach(({ name, value }, i) => {
    const target = name === '' ? (names[i] ?? '') : name;
    if (!inner.variables.has(target.toLowerCase())) throw raise(8145, [target, '']);
    if (value) setVariable(inner, { name: target, value, line: 1 });
  });
  yield* runText(String(text?.value?.value ?? ''), inner);
  return inner;
}

/** `@a int, @b nvarchar(20) OUTPUT` as variables without a value. */
function declareParameters(frame: Frame, declarations: string): void {
  const plain = declarations.replace(/\s+(OUTPUT|OUT|READONLY)\b/gi, '');
  if (plain.trim() === '') return;
  for (const statement of parseBatch(`DECLARE ${plain}`)) {
    if (statement.kind === 'declare') declareVariable(frame, statement);
  }
}
