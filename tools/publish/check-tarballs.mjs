/**
 * Packs every package and uses the tarballs in folders outside of this workspace: with Nx, without Nx, and as
 * libraries.
 *
 *     npm run check:tarballs -- [--keep] [--update] [libraries] [without-nx] [with-nx]
 *
 * `--keep` keeps the folders, `--update` writes the output of the examples to `examples/expected`.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tryAsLibraries } from './as-libraries.mjs';
import { removeFolders } from './foreign-folder.mjs';
import { packAll, readPackages, ROOT } from './packages.mjs';
import { tryWithNx } from './with-nx.mjs';
import { tryWithoutNx } from './without-nx.mjs';

/**
 * Runs a step and prints its result. Rethrows its errors.
 *
 * @typedef {(name: string, work: () => void | Promise<void>) => Promise<void>} Step
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    update: { type: 'boolean', default: false },
  },
});
const wanted = (/** @type {string} */ name) =>
  positionals.length === 0 || positionals.includes(name);
const packed = join(ROOT, 'tmp/packed');
rmSync(packed, { recursive: true, force: true });
const tarballs = packAll(readPackages(), packed);
try {
  if (wanted('libraries')) await tryAsLibraries(tarballs, step, values);
  if (wanted('without-nx')) await tryWithoutNx(tarballs, step);
  if (wanted('with-nx')) await tryWithNx(tarballs, step);
} finally {
  if (!values.keep) removeFolders();
}

/** @type {Step} */
async function step(name, work) {
  const start = performance.now();
  await work();
  console.log(`ok  ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}
