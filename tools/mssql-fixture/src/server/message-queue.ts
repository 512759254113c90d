/** Messages in order, for one reader that waits for the next. */
export interface MessageQueue<T> {
  push(message: T): void;
  /** The next message; undefined when the queue was closed. */
  next(): Promise<T | undefined>;
  close(): void;
}

/** An empty queue. */
export function createMessageQueue<T>(): MessageQueue<T> {
  const waiting: T[] = [];
  let isClosed = false;
  let wake: (() => void) | undefined;
  const awaken = (): void => {
    wake?.();
    wake = undefined;
  };
  return {
    push: (message) => {
      waiting.push(message);
      awaken();
    },
    next: async () => {
      while (waiting.length === 0 && !isClosed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return waiting.shift();
    },
    close: () => {
      isClosed = true;
      awaken();
    },
  };
}
