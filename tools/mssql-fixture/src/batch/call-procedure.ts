import { PROCEDURES, type Procedure, type ProcedureArguments } from '../cdc/procedures.ts';
import type { Variable } from '../engine/relation.ts';
import { raise, SqlServerError } from '../engine/sql-server-error.ts';
import { convertValue } from '../sql/convert-value.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import type { BatchEvent } from './batch-event.ts';
import { errorMessage } from './error-message.ts';
import type { Frame } from './session.ts';

/** An argument of a call, by name or by position. */
export interface Argument extends Variable {
  /** Without `@`. Empty for a positional argument. */
  readonly name: string;
}

/**
 * Runs a procedure by its name, `sys.sp_cdc_enable_db` or `AdOpusTest.sys.sp_cdc_enable_db`. A refusal is a message
 * with status 1. Throws 201, 2812, 8144, 8145.
 */
export async function* callProcedure(
  frame: Frame,
  parts: readonly string[],
  args: readonly Argument[],
): AsyncGenerator<BatchEvent, void> {
  const [name = '', schema = '', database] = [...parts].reverse();
  const isSystem = /^(sys|dbo|)$/i.test(schema) && parts.length <= 3;
  const known = name.toLowerCase();
  const procedure = isSystem ? PROCEDURES[known] : undefined;
  if (!procedure) throw raise(2812, [parts.join('.')]);
  const values = bindArguments(known, procedure, args);
  try {
    const messages = procedure.run(values, inDatabase(frame, database));
    for (const message of messages) yield { kind: 'message', message };
    yield { kind: 'status', value: 0 };
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    yield { kind: 'message', message: { ...errorMessage(error), procedure: known } };
    yield { kind: 'status', value: 1 };
  }
}

/** Returns the frame in the database of a call. */
function inDatabase(frame: Frame, database: string | undefined): Frame {
  if (!database) return frame;
  const entry = frame.host.engine.database(database);
  if (!entry) throw raise(911, [database]);
  return { ...frame, session: { ...frame.session, databaseName: entry.name } };
}

/** Binds the arguments to the parameters. */
function bindArguments(
  procedure: string,
  { parameters }: Procedure,
  args: readonly Argument[],
): ProcedureArguments {
  const names = Object.keys(parameters);
  if (args.length > names.length) throw raise(8144, [procedure]);
  const values: Record<string, SqlValue> = {};
  args.forEach(({ name, type, value }, i) => {
    const target = name === '' ? (names[i] ?? '') : name.toLowerCase();
    const [to] = parameters[target] ?? [];
    if (!to) throw raise(8145, [name, procedure]);
    values[target] = convertValue(value, { from: type, to, style: 0 });
  });
  for (const [name, [, fallback]] of Object.entries(parameters)) {
    if (name in values) continue;
    if (fallback === undefined) throw raise(201, [procedure, name]);
    values[name] = fallback;
  }
  return values;
}
