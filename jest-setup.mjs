// Runs once before all tests.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGES = join(import.meta.dirname, 'packages');
const BUILD = join(PACKAGES, 'cli/build.mjs');
const BUNDLE = join(PACKAGES, 'cli/dist/main.js');

/** File system in memory (Linux). */
const MEMORY = '/dev/shm';
const ROOM_BYTES = 8 * 1024 ** 3;

export default function setUp() {
  buildIfStale();
  useMemory();
}

/** Bundles the command line if a source of it is newer than the bundle, because tests run the bundle. */
function buildIfStale() {
  const built = statSync(BUNDLE, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = [BUILD, ...listSources()];
  if (sources.every((file) => statSync(file).mtimeMs <= built)) return;
  execFileSync(process.execPath, [BUILD], { stdio: 'inherit' });
}

function listSources() {
  return readdirSync(PACKAGES)
    .flatMap((name) => ['src', 'templates'].map((folder) => join(PACKAGES, name, folder)))
    .filter((folder) => statSync(folder, { throwIfNoEntry: false }))
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !/\.(?:spec|fixture)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Moves the folder for temporary files into memory. Tests create hundreds of databases of some 300 files each, which
 * can take 0.4 s each on a disk and takes 0.03 s in memory. Set CDC_TEST_TMPDIR to choose the folder.
 */
function useMemory() {
  const parent = process.env['CDC_TEST_TMPDIR'] ?? (hasMemory() ? MEMORY : tmpdir());
  if (parent === tmpdir()) return;
  const folder = realpathSync(mkdtempSync(join(parent, 'cdc-')));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o1777); // servers run as another user
  if (!canRunIn(folder)) return;
  process.env['TMPDIR'] = folder;
  process.env['CDC_TEST_CLUSTERS'] = mkdtempSync(join(folder, 'clusters-'));
}

/** Checks the size of the file system. Containers often have only 64 MB. */
function hasMemory() {
  if (!statSync(MEMORY, { throwIfNoEntry: false })) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return Math.min(bavail * bsize, process.availableMemory()) > ROOM_BYTES;
}

/** Checks if programs can run. A file system can be mounted `noexec`. */
function canRunIn(folder) {
  const program = join(folder, 'program');
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  try {
    execFileSync(program);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(program);
  }
}
