import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENSE_FILE = /^(un)?licen[cs]e|^copying/i;

/**
 * Renders the licences of all packages in the bundle. The licences demand that their text is included.
 *
 * @param {readonly string[]} inputs files of the bundle
 * @returns {string}
 */
export function renderLicenses(inputs) {
  const folders = inputs.flatMap(
    (path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? [],
  );
  const texts = [...new Set(folders)].map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${readLicense(folder)}`;
  });
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  return `The files of this folder hold parts of these packages.${rule}${texts.sort().join(rule)}\n`;
}

/** @param {string} folder of a package */
function readLicense(folder) {
  const file = existsSync(folder) && readdirSync(folder).find((name) => LICENSE_FILE.test(name));
  return file ? readFileSync(join(folder, file), 'utf8').trim() : 'It has no text of its licence.';
}
