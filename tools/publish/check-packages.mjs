/**
 * Packs every package and checks it as installed by others: with publint, attw (types as resolved by `node16` and
 * `bundler`), and our own rules.
 *
 *     npm run check:packages
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { checkContents } from './check-contents.mjs';
import { packAll, readPackages, ROOT } from './packages.mjs';

/** @import { Manifest } from './packages.mjs' */

/** Resolutions that do not apply to an ESM package: without `exports`, or as types of CommonJS. */
const NOT_OF_ESM = ['node10', 'node16-cjs'];

const packages = readPackages();
const versions = new Map(packages.map(({ manifest }) => [manifest.name, manifest.version]));
const folder = join(ROOT, 'tmp/packed');
rmSync(folder, { recursive: true, force: true });
let problems = 0;
for (const [name, file] of packAll(packages, folder)) {
  const tarball = new Uint8Array(readFileSync(file));
  const wrong = [...(await askPublint(tarball)), ...(await askAttw(tarball)), ...look(tarball)];
  for (const problem of wrong) console.error(`${name}: ${problem}`);
  problems += wrong.length;
}
console.log(`${packages.length} packages, ${problems} problems`);
process.exitCode = problems === 0 ? 0 : 1;

/**
 * @param {Uint8Array<ArrayBuffer>} tarball
 * @returns {Promise<string[]>}
 */
async function askPublint({ buffer }) {
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`);
}

/**
 * @param {Uint8Array} tarball
 * @returns {Promise<string[]>} nothing for a package without types, which is only run
 */
async function askAttw(tarball) {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  if (!result.types) return [];
  return result.problems
    .filter(
      (problem) => !('resolutionKind' in problem && NOT_OF_ESM.includes(problem.resolutionKind)),
    )
    .map((problem) => `attw: ${JSON.stringify(problem)}`);
}

/**
 * @param {Uint8Array} tarball
 * @returns {string[]}
 */
function look(tarball) {
  const packed = createPackageFromTarballData(tarball);
  const prefix = `/node_modules/${packed.packageName}/`;
  const files = new Map(
    packed.listFiles().map((path) => [path.slice(prefix.length), packed.readFile(path)]),
  );
  const manifest = /** @type {Manifest} */ (JSON.parse(files.get('package.json') ?? '{}'));
  return checkContents({ manifest, files }, versions);
}
