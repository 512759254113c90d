import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { measureInTurn } from './measure.mjs';

/** @import { Command } from './measure.mjs' */
/** @import { Line } from './report.mjs' */

/**
 * Address and figures of the server.
 *
 * @typedef {{ readonly host: string, readonly port: number, readonly userName: string, readonly password: string,
 * readonly roundTrips: number }} Served
 */

const SIZES = [39, 400, 4000];
const WAYS = ['one by one', 'together'];
const START_MS = 60_000;
const SETTLE_MS = 100;

/**
 * Compares reading the catalogs of all tables together with one query per table, on the same server.
 *
 * @param {number} rounds
 * @param {string} folder for the server's address
 * @returns {Line[]}
 */
export function benchIntrospection(rounds, folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'server.json');
  rmSync(file, { force: true });
  const serve = join(import.meta.dirname, 'serve-catalogs.mjs');
  const server = spawn(process.execPath, [serve, file, ...SIZES.map(String)], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  try {
    waitFor(file);
    return SIZES.flatMap((size) =>
      benchSize(size, file, size > 1000 ? Math.min(rounds, 5) : rounds),
    );
  } finally {
    server.kill();
  }
}

/**
 * @param {number} size
 * @param {string} file
 * @param {number} rounds
 * @returns {Line[]} that of one by one first
 */
function benchSize(size, file, rounds) {
  const commands = WAYS.map((way) => buildCommand(size, file, way));
  const trips = commands.map((command) => countRoundTrips(command, file));
  const runs = measureInTurn(commands, rounds);
  return commands.map(({ name }, i) => ({
    name: `${name}, ${trips[i]} round trips`,
    runs: runs[i] ?? [],
    tables: size,
    ...(i > 0 && { baseline: runs[0] ?? [] }),
  }));
}

/**
 * @param {number} size
 * @param {string} file
 * @param {string} way
 * @returns {Command}
 */
function buildCommand(size, file, way) {
  const script = join(import.meta.dirname, 'read-catalog.mjs');
  const argv = [process.execPath, script, file, String(size), way];
  return { name: `${size} tables, ${way}`, argv, cwd: import.meta.dirname };
}

/**
 * @param {Command} command
 * @param {string} file
 */
function countRoundTrips(command, file) {
  const count = () => {
    sleep(SETTLE_MS);
    return /** @type {Served} */ (JSON.parse(readFileSync(file, 'utf8'))).roundTrips;
  };
  const before = count();
  measureInTurn([command], 0);
  return count() - before;
}

/** @param {string} file */
function waitFor(file) {
  const end = Date.now() + START_MS;
  while (Date.now() < end) {
    try {
      readFileSync(file);
      return;
    } catch {
      sleep(SETTLE_MS);
    }
  }
  throw new Error(`the server did not start within ${START_MS / 1000} s`);
}

/** @param {number} ms */
function sleep(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
