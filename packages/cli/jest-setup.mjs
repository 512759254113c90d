// Bundles the command line before all tests where a source of it is newer than the bundle: tests run the bundle.
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGES = join(import.meta.dirname, '..');
const BUILD = join(import.meta.dirname, 'build.mjs');
const BUNDLE = join(import.meta.dirname, 'dist/main.js');

export default function buildIfStale() {
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
