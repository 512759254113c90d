import { Worker } from 'node:worker_threads';

const STALL_MS = 60_000;

/**
 * Ends the process if nothing new starts for a minute, and reports the last step. A test cannot end its own endless
 * loop.
 */
export function watchProgress() {
  const worker = new Worker(WATCH, { eval: true, workerData: { pid: process.pid, STALL_MS } });
  worker.unref();
  return {
    begin: (what: string) => worker.postMessage(what),
    stop: () => worker.terminate(),
  };
}

const WATCH = `
const { parentPort, workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
let timer;
parentPort.on('message', (what) => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    writeSync(2, 'no end: ' + what + '\\n');
    process.kill(workerData.pid, 'SIGKILL');
  }, workerData.STALL_MS);
});
`;
