import { callProcedure, executeText, type Argument } from '../batch/run-exec.ts';
import { asServerError, errorMessage } from '../batch/error-message.ts';
import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import { parseNameParts } from '../tsql/parse-expression.ts';
import { createTokenCursor } from '../tsql/token-cursor.ts';
import type { RpcCall, RpcParameter } from '../tds/parse-request.ts';
import { INT, type SqlValue } from '../tds/sql-type.ts';
import { DONE, writeReturnStatus, writeReturnValue } from '../tds/tokens.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** The SQL of a call that carries some, else the procedure's name. */
export function callText({ procedure, parameters }: RpcCall): string {
  const position = TEXT_POSITIONS[lastPart(procedure)];
  const text = position === undefined ? undefined : parameters[position]?.value;
  return typeof text === 'string' ? text : procedure;
}

/** Which parameter of a procedure of the protocol is SQL. */
const TEXT_POSITIONS: Readonly<Record<string, number>> = {
  sp_executesql: 0,
  sp_prepare: 2,
  sp_prepexec: 2,
};

type Call = (
  parameters: readonly RpcParameter[],
  frame: Frame,
  reply: ReplyWriter,
) => Promise<void>;

const CALLS: Readonly<Record<string, Call>> = {
  sp_executesql: execute,
  sp_prepare: async (parameters, frame, reply) => {
    const handle = prepare(parameters, frame);
    end(reply, [{ parameter: parameters[0], value: handle }]);
  },
  sp_prepexec: async (parameters, frame, reply) => {
    const handle = prepare(parameters, frame);
    const [, declarations, text, ...values] = parameters;
    if (text && declarations) await execute([text, declarations, ...values], frame, reply, false);
    end(reply, [{ parameter: parameters[0], value: handle }]);
  },
  sp_execute: async ([handle, ...values], frame, reply) => {
    const prepared = frame.session.prepared.get(Number(handle?.value));
    if (!prepared) throw raise(8179, [Number(handle?.value)]);
    const text = textParameter(prepared.text);
    await execute([text, textParameter(prepared.declarations), ...values], frame, reply);
  },
  sp_unprepare: async ([handle], frame, reply) => {
    frame.session.prepared.delete(Number(handle?.value));
    end(reply, []);
  },
};

/** Runs a remote procedure call and writes what it gives. */
export async function runCall(
  { procedure, parameters }: RpcCall,
  frame: Frame,
  reply: ReplyWriter,
): Promise<void> {
  const call = CALLS[lastPart(procedure)];
  try {
    if (call) {
      await call(parameters, frame, reply);
      return;
    }
    const parts = parseNameParts(createTokenCursor(procedure));
    const args = parameters.map(argument);
    for await (const event of callProcedure(frame, { procedure: parts, args, line: 1 })) {
      await reply.write(event);
    }
  } catch (error) {
    await reply.write({ kind: 'message', message: errorMessage(asServerError(error)) });
    reply.done(DONE.procedure);
  }
}

function lastPart(procedure: string): string {
  return (procedure.split('.').at(-1) ?? '').replace(/[[\]]/g, '').toLowerCase();
}

function argument({ name, type, value }: RpcParameter): Argument {
  return { name, value: { type, value } };
}

function textParameter(value: string): RpcParameter {
  return { name: '', isOutput: false, type: { name: 'nvarchar', length: -1 }, value };
}

async function execute(
  parameters: readonly RpcParameter[],
  frame: Frame,
  reply: ReplyWriter,
  ends = true,
): Promise<void> {
  const run = executeText(frame, parameters.map(argument));
  for (;;) {
    const { done, value } = await run.next();
    if (!done) {
      await reply.write(value);
      continue;
    }
    const outputs = parameters.filter((parameter) => parameter.isOutput);
    const results = outputs.map((parameter) => ({
      parameter,
      value: value.variables.get(parameter.name.toLowerCase())?.value ?? null,
    }));
    if (ends) end(reply, results);
    return;
  }
}

function prepare(parameters: readonly RpcParameter[], { session }: Frame): number {
  const [, declarations, text] = parameters;
  const handle = session.prepared.size + 1;
  const prepared = {
    text: String(text?.value ?? ''),
    declarations: String(declarations?.value ?? ''),
  };
  session.prepared.set(handle, prepared);
  return handle;
}

/** The end of a call: its status, then the values of its OUTPUT parameters. */
function end(
  reply: ReplyWriter,
  outputs: readonly { readonly parameter: RpcParameter | undefined; readonly value: SqlValue }[],
): void {
  reply.settle();
  writeReturnStatus(reply.tokens, 0);
  outputs.forEach(({ parameter, value }, ordinal) => {
    const type = parameter?.type ?? INT;
    const name = parameter && parameter.name !== '' ? `@${parameter.name}` : '';
    writeReturnValue(reply.tokens, { ordinal, name, type, value });
  });
  reply.done(DONE.procedure);
}
