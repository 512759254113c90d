import {
  addCounts,
  labelOf,
  NO_EVENTS,
  type MergeCounts,
  type MergeEvent,
} from '@cdc-migrations/tracker';
import { CLEAR_LINE, type ProgressOutput } from '../apply/progress.ts';
import { renderCounts, renderReplay } from './render-result.ts';
import { countOf } from '../count-of.ts';
import { startPace } from '../pace.ts';
import { printable } from '../print.ts';

/** Interval of a table's progress line with --watch. */
const TELL_EVERY_MS = 10_000;

interface MergeReport {
  readonly onEvent: (event: MergeEvent) => void;
  /** Prints pending progress. */
  readonly finish: () => void;
}

/**
 * Reports merges in lines: a table at the end of its pass, or every ten seconds with --watch. A terminal also shows the
 * progress of a pass.
 *
 * @param prefix name of the target, if there are several
 */
export function reportMerges(
  output: ProgressOutput,
  { prefix, isWatching }: { readonly prefix: string; readonly isWatching: boolean },
): MergeReport {
  const unreported = new Map<string, MergeCounts>();
  let total = NO_EVENTS;
  const describePace = startPace();
  /** With --watch the average says nothing of the pace. */
  const paceOf = (events: number) => {
    const pace = isWatching ? '' : describePace(events, events, 'events');
    return pace === '' ? '' : `; ${pace}`;
  };
  let timer: NodeJS.Timeout | undefined;
  const clear = () => (output.isTerminal ? CLEAR_LINE : '');
  const line = (text: string) => output.write(`${clear()}${printable(prefix + text)}\n`);
  const finish = () => {
    clearTimeout(timer);
    timer = undefined;
    for (const [label, counts] of unreported) line(`${label}: ${renderCounts(counts)}`);
    unreported.clear();
    if (output.isTerminal) output.write(CLEAR_LINE);
  };
  const onEvent = (event: MergeEvent) => {
    switch (event.kind) {
      case 'batch merged':
        total = addCounts(total, event);
        if (output.isTerminal)
          output.write(
            `${CLEAR_LINE}${printable(prefix)}${countOf(event.waiting, 'table')} in progress, ${renderCounts(total)}${paceOf(total.events)}`,
          );
        return;
      case 'table merged': {
        if (!isWatching) {
          const seconds = (event.durationMs / 1000).toFixed(1);
          return line(`${labelOf(event)}: ${renderCounts(event)}, ${seconds} s`);
        }
        const label = labelOf(event);
        unreported.set(label, addCounts(unreported.get(label) ?? NO_EVENTS, event));
        timer ??= setTimeout(finish, TELL_EVERY_MS).unref();
        return;
      }
      case 'table left out':
        return line(`${labelOf(event)}: ${event.reason}`);
      case 'table failed':
        return line(`${labelOf(event)} failed: ${event.reason}`);
      case 'letters replayed':
        return line(renderReplay(event));
      case 'interrupted':
        return line(`interrupted: ${event.reason}; retrying`);
      case 'resumed':
        return line('resumed');
    }
  };
  return { onEvent, finish };
}
