import { keyOf, labelOf, NOTHING, type MergeCounts, type TableLane } from './merge-event.ts';
import type { PassState } from './merge-statements.ts';

/** One run through a staging table, batch by batch. */
export interface Pass extends TableLane {
  /** Result of the previous batch. Before the first it is the lane. */
  readonly state: PassState;
  readonly counts: MergeCounts;
  readonly startedAt: number;
}

/**
 * Passes that wait for a session, the one that waits longest first. Each session takes one, merges a batch and puts it
 * back, so that a large table does not block the others. A table or each of its lanes is in it once.
 */
export interface PassQueue {
  /** Begins passes over the tables and lanes without one. */
  add(tables: readonly TableLane[]): void;
  /** Returns the next pass, or waits for one. Returns undefined after the queue is closed. */
  take(): Promise<Pass | undefined>;
  putBack(pass: Pass): void;
  /** Ends a pass. */
  finish(pass: Pass): void;
  /** Ends all waits. Remaining passes are not returned any more. */
  close(): void;
  /** Number of tables with unfinished passes. */
  readonly open: number;
  readonly isClosed: boolean;
}

/** Builds a queue that closes when all passes have ended, unless it stays open. */
export function buildPassQueue({ staysOpen }: { readonly staysOpen: boolean }): PassQueue {
  const passes = new Map<string, string>();
  const waiting: Pass[] = [];
  const takers: ((pass: Pass | undefined) => void)[] = [];
  let isClosed = false;
  const offer = (pass: Pass) => {
    const taker = isClosed ? undefined : takers.shift();
    if (taker) taker(pass);
    else waiting.push(pass);
  };
  const close = () => {
    isClosed = true;
    for (const taker of takers.splice(0)) taker(undefined);
  };
  return {
    add(names) {
      for (const { schema, table, lane } of names) {
        const key = keyOf({ schema, table, lane });
        if (passes.has(key)) continue;
        passes.set(key, labelOf({ schema, table }));
        const startedAt = performance.now();
        offer({ schema, table, lane, state: { lane }, counts: NOTHING, startedAt });
      }
      if (passes.size === 0 && !staysOpen) close();
    },
    take() {
      if (isClosed) return Promise.resolve(undefined);
      const next = waiting.shift();
      return next ? Promise.resolve(next) : new Promise((resolve) => takers.push(resolve));
    },
    putBack: offer,
    finish(pass) {
      passes.delete(keyOf(pass));
      if (passes.size === 0 && !staysOpen) close();
    },
    close,
    get open() {
      return new Set(passes.values()).size;
    },
    get isClosed() {
      return isClosed;
    },
  };
}
