/**
 * Checks releases with dry runs in a shallow clone without tags: the first release, and the next one after some
 * commits. It queries no registry.
 *
 *     npm run check:release
 */
import { appendFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expectEqual } from './expect-equal.mjs';
import { makeFolder, removeFolders, succeedIn } from './foreign-folder.mjs';
import { readPackages, ROOT } from './packages.mjs';

const DRY = ['--dry-run', '--skip-publish'];
const names = readPackages()
  .map(({ manifest }) => manifest.name)
  .sort();
const folder = makeFolder('release', {});
try {
  git('clone', '--quiet', '--depth', '1', '--no-tags', pathToFileURL(ROOT).href, '.');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));

  expectVersion('0.1.0', release('0.1.0', '--first-release'));
  git('tag', 'v0.1.0');
  commit('packages/config', 'How things are said');
  expectVersion(undefined, release());
  commit('packages/sql-text', 'feat(sql-text): roles are quoted');
  const next = release();
  expectVersion('0.1.1', next);
  expectEqual(/### 🚀 Features[^]*roles are quoted/.test(next), true);
  expectEqual(/How things are said/.test(next), false);
  commit('packages/tracker', 'fix(tracker)!: a lost lock ends the apply');
  const breaking = release();
  expectVersion('0.2.0', breaking);
  expectEqual(/### 🩹 Fixes[^]*a lost lock ends the apply/.test(breaking), true);
  console.log('ok  releases 0.1.0, none, 0.1.1, 0.2.0 of all packages together');
} finally {
  removeFolders();
}

/**
 * @param {readonly string[]} args
 * @returns {string} what `nx release` would do
 */
function release(...args) {
  return succeedIn(folder, 'npx', ['--no-install', 'nx', 'release', ...args, ...DRY], {
    NX_DAEMON: 'false',
  });
}

/**
 * @param {string | undefined} version that every package would get; none where there is nothing to release
 * @param {string} printed
 */
function expectVersion(version, printed) {
  const lines = [...printed.matchAll(/^(\S+) .*New version (\S+) written/gm)];
  const got = lines.map(([, name, to]) => `${name} ${to}`).sort();
  expectEqual(got, version === undefined ? [] : names.map((name) => `${name} ${version}`));
}

/**
 * @param {string} path of the package that changes
 * @param {string} message
 */
function commit(path, message) {
  appendFileSync(join(folder, path, 'README.md'), '\n');
  git('-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit', '-qam', message);
}

/** @param {readonly string[]} args */
function git(...args) {
  return succeedIn(folder, 'git', args);
}
