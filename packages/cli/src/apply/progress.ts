import type { ApplyEvent, LockBlocker } from '@cdc-migrations/tracker';
import { describeBlocker, describeHolder } from '@cdc-migrations/tracker';
import { nameSchema } from '../target/name-schema.ts';
import { countOf } from '../count-of.ts';
import { startPace } from '../pace.ts';
import { printable } from '../print.ts';
import { paint, terminalOf } from '../terminal.ts';

/** Output for progress and its abilities. */
export interface ProgressOutput {
  readonly write: (text: string) => void;
  /** True if lines can be overwritten. */
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
}

/** Moves the cursor to the start of the line and clears it on a terminal. */
export const CLEAR_LINE = '\r\u001b[K';

/** Returns standard error as output for progress. On a dumb terminal nothing is overwritten. */
export function standardError(env: NodeJS.ProcessEnv): ProgressOutput {
  const isTerminal = process.stderr.isTTY === true && env['TERM'] !== 'dumb';
  return {
    write: (text) => process.stderr.write(text),
    isTerminal,
    hasColor: terminalOf(process.stderr, env).hasColor,
  };
}

/** Names the sessions that hold a lock: `held by pid 4711, …` for each. */
export function heldBy({
  blockers,
}: {
  readonly blockers: readonly LockBlocker[];
}): readonly string[] {
  return blockers.map((one) => `held by ${describeBlocker(one)}`);
}

/** Number of schemas from which on they share lines outside of a terminal: one a second says where the apply is. */
const MANY_SCHEMAS = 100;
const LINE_EVERY_MS = 1000;

/**
 * Reports progress in lines such as `[12/26 46%] osloprod 78 files, 1.3 s`. A terminal also shows the current file, the
 * pace, and the time that is left.
 */
export function reportProgress(output: ProgressOutput): (event: ApplyEvent) => void {
  let [done, total] = [0, 0];
  let [files, allFiles] = [0, 0];
  let describePace = startPace();
  let saidAt = -Infinity;
  const pace = () => prefixed(describePace(files, allFiles, 'files'));
  const clear = output.isTerminal ? CLEAR_LINE : '';
  const line = (text: string) => output.write(`${clear}${printable(text)}\n`);
  const redLine = (text: string) =>
    output.hasColor ? output.write(`${clear}${paint(printable(text), 'red')}\n`) : line(text);
  const counter = () =>
    `[${done}/${total} ${total === 0 ? 100 : Math.floor((done / total) * 100)}%]`;
  return (event) => {
    switch (event.kind) {
      case 'waiting':
        return line(`waiting: another apply is running: ${describeHolder(event.holder)}`);
      case 'planned':
        total = event.schemas;
        [files, allFiles] = [0, event.files];
        describePace = startPace();
        return event.files > 0
          ? line(`${countOf(event.files, 'file')} to apply to ${countOf(event.schemas, 'schema')}`)
          : undefined;
      case 'file applied': {
        const { schema, path, statements } = event.applied;
        files++;
        if (schema === '') return line(`${path}: ${countOf(statements, 'statement')}`);
        if (output.isTerminal)
          output.write(`${clear}${counter()} ${printable(`${schema} ${path}`)}${pace()}`);
        return;
      }
      case 'file waits':
        return line(
          `${counter()} ${nameSchema(event.schema)} ${event.path} waits: ${[event.reason, ...heldBy(event)].join('; ')}`,
        );
      case 'index waits':
        return line(
          `${event.schema}.${event.table}: the index waits until other transactions end; ${heldBy(event).join('; ')}`,
        );
      case 'column waits':
        return line(
          `${event.schema}.${event.table}: ${[`${event.column} stays nullable until the next apply, as its table is locked`, ...heldBy(event)].join('; ')}`,
        );
      case 'file failed': {
        const { schema, path, message, kind } = event.failure;
        const what = kind === 'unsafe' ? 'refused' : 'failed';
        return redLine(
          `${counter()} ${[schema, path].filter(Boolean).join(' ')} ${what}: ${message}`,
        );
      }
      case 'index begins':
        return line(`${event.schema}.${event.table}: creating index ${event.index}`);
      case 'schema done': {
        ({ done, total } = event);
        const failures = event.failures > 0 ? `, ${event.failures} failed or refused` : '';
        const seconds = (event.durationMs / 1000).toFixed(1);
        const text = `${counter()} ${event.schema} ${countOf(event.files, 'file')}, ${seconds} s${failures}`;
        if (output.isTerminal || total < MANY_SCHEMAS) return line(text);
        const isDue = performance.now() >= saidAt + LINE_EVERY_MS;
        if (!isDue && event.failures === 0 && done < total) return;
        saidAt = performance.now();
        return line(text + pace());
      }
    }
  };
}

function prefixed(pace: string): string {
  return pace === '' ? '' : `, ${pace}`;
}
