import { labelOf, NOTHING, type MergeCounts, type TableName } from './merge-event.ts';

/** One way through a staging table, batch by batch. */
export interface Pass extends TableName {
  /** What the batch before gave; undefined before the first. */
  readonly state: object | undefined;
  readonly counts: MergeCounts;
  readonly startedAt: number;
}

/**
 * Passes that wait for a session, the longest waiting first: each session takes one, merges a batch and puts it back, so
 * that a large table does not hold up the others. A table is in it once.
 */
export interface PassQueue {
  /** Begins passes over those of these tables that have none. */
  add(tables: readonly TableName[]): void;
  /** The next pass; waits for one. Undefined once the queue is closed. */
  take(): Promise<Pass | undefined>;
  putBack(pass: Pass): void;
  /** The pass is over. */
  finish(pass: Pass): void;
  /** Ends all waiting; passes that are left are not given any more. */
  close(): void;
  /** Passes that are not over. */
  readonly open: number;
  readonly isClosed: boolean;
}

/** A queue that closes by itself when all passes are over, unless it is to stay open. */
export function buildPassQueue({ staysOpen }: { readonly staysOpen: boolean }): PassQueue {
  const tables = new Set<string>();
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
      for (const { schema, table } of names) {
        const label = labelOf({ schema, table });
        if (tables.has(label)) continue;
        tables.add(label);
        offer({ schema, table, state: undefined, counts: NOTHING, startedAt: performance.now() });
      }
      if (tables.size === 0 && !staysOpen) close();
    },
    take() {
      if (isClosed) return Promise.resolve(undefined);
      const next = waiting.shift();
      return next ? Promise.resolve(next) : new Promise((resolve) => takers.push(resolve));
    },
    putBack: offer,
    finish(pass) {
      tables.delete(labelOf(pass));
      if (tables.size === 0 && !staysOpen) close();
    },
    close,
    get open() {
      return tables.size;
    },
    get isClosed() {
      return isClosed;
    },
  };
}
