import { callProcedure, type Argument } from '../batch/call-procedure.ts';
import { errorMessage } from '../batch/error-message.ts';
import { parseName } from '../batch/resolve-relation.ts';
import { executeText } from '../batch/run-batch.ts';
import type { Frame } from '../batch/session.ts';
import { SqlServerError } from '../engine/sql-server-error.ts';
import type { RpcCall, RpcParameter } from '../tds/parse-request.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import { DONE, writeReturnStatus, writeReturnValue } from '../tds/tokens.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** Returns the SQL of a call that has some, else the procedure's name. */
export function callText({ procedure, parameters }: RpcCall): string {
  const text = isExecuteSql(procedure) ? parameters[0]?.value : undefined;
  return typeof text === 'string' ? text : procedure;
}

/** Runs a remote procedure call and writes its results. */
export async function runCall(
  { procedure, parameters }: RpcCall,
  frame: Frame,
  reply: ReplyWriter,
): Promise<void> {
  try {
    if (isExecuteSql(procedure)) {
      await execute(parameters, frame, reply);
      return;
    }
    const run = callProcedure(frame, parseName(procedure), parameters.map(argument));
    for await (const event of run) await reply.write(event);
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    await reply.write({ kind: 'message', message: errorMessage(error) });
    reply.done(DONE.procedure);
  }
}

function isExecuteSql(procedure: string): boolean {
  return /(^|\.)\[?sp_executesql\]?$/i.test(procedure);
}

function argument({ name, type, value }: RpcParameter): Argument {
  return { name, type, value };
}

async function execute(
  parameters: readonly RpcParameter[],
  frame: Frame,
  reply: ReplyWriter,
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
      value: value.get(parameter.name.toLowerCase())?.value ?? null,
    }));
    end(reply, results);
    return;
  }
}

/** Ends a call: writes its status, then the values of its OUTPUT parameters. */
function end(
  reply: ReplyWriter,
  outputs: readonly { readonly parameter: RpcParameter; readonly value: SqlValue }[],
): void {
  reply.settle();
  writeReturnStatus(reply.tokens, 0);
  outputs.forEach(({ parameter, value }, ordinal) => {
    const { name, type } = parameter;
    writeReturnValue(reply.tokens, { ordinal, name: `@${name}`, type, value });
  });
  reply.done(DONE.procedure);
}
