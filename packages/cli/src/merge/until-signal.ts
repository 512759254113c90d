import type { ProgressOutput } from '../apply/progress.ts';

/** Runs work that ends on SIGINT or SIGTERM, and prints the message then. A second signal ends the process. */
export async function untilSignal<Result>(
  progress: ProgressOutput,
  work: (signal: AbortSignal) => Promise<Result>,
  message = 'stopping after the current batches',
): Promise<Result> {
  const controller = new AbortController();
  const stop = () => {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    progress.write(`${message}\n`);
    controller.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
