/**
 * Packs every package and uses the tarballs as others do, in folders far from this workspace: with Nx, without Nx, and
 * as libraries.
 *
 *     npm run check:tarballs -- [--keep]
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeFolders } from './foreign-folder.mjs';
import { packAll, readPackages, ROOT } from './packages.mjs';
import { tryWithNx } from './with-nx.mjs';
import { tryWithoutNx } from './without-nx.mjs';

/**
 * Does a step and says how it ended; throws what it throws.
 *
 * @typedef {(name: string, work: () => void) => void} Step
 */

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const packed = join(ROOT, 'tmp/packed');
rmSync(packed, { recursive: true, force: true });
const tarballs = packAll(readPackages(), packed);
try {
  tryWithoutNx(tarballs, step);
  tryWithNx(tarballs, step);
} finally {
  if (!values.keep) removeFolders();
}

/** @type {Step} */
function step(name, work) {
  const start = performance.now();
  work();
  console.log(`ok  ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}
