import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The workspace. */
export const ROOT = join(import.meta.dirname, '../..');
export const EXAMPLES = join(ROOT, 'examples');
const PACKAGES = join(ROOT, 'packages');

/**
 * The parts of a `package.json` that matter for consumers.
 *
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {string} [description]
 * @property {readonly string[]} [keywords]
 * @property {{ readonly url?: string, readonly directory?: string }} [repository]
 * @property {string} [homepage]
 * @property {string} [bugs]
 * @property {string} [license]
 * @property {{ readonly node?: string }} [engines]
 * @property {unknown} [exports]
 * @property {Readonly<Record<string, string>>} [bin]
 * @property {Readonly<Record<string, string>>} [scripts]
 * @property {Readonly<Record<string, string>>} [dependencies]
 * @property {Readonly<Record<string, string>>} [peerDependencies]
 * @property {Readonly<Record<string, string>>} [optionalDependencies]
 */

/** @typedef {{ readonly folder: string, readonly manifest: Manifest }} Package */

/** @returns {Package[]} all that is published, in order of folder */
export function readPackages() {
  return readdirSync(PACKAGES)
    .sort()
    .map((name) => {
      const folder = join(PACKAGES, name);
      return { folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) };
    });
}

/**
 * Packs packages as they would be published.
 *
 * @param {readonly Package[]} packages built
 * @param {string} folder
 * @returns {Map<string, string>} the tarball of each package, by name
 */
export function packAll(packages, folder) {
  mkdirSync(folder, { recursive: true });
  const printed = runNpm(
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder].concat(
      packages.map((each) => `--workspace=${each.manifest.name}`),
    ),
    ROOT,
  );
  const packed = /** @type {{ name: string, filename: string }[]} */ (JSON.parse(printed));
  return new Map(packed.map(({ name, filename }) => [name, join(folder, filename)]));
}

/**
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {string} what it prints
 */
export function runNpm(args, cwd) {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
    maxBuffer: 1 << 26,
  });
}
