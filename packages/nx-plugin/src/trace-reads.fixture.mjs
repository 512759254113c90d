// Preloaded into the command line by a test. Records every path and every variable that it reads.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const stage = process.argv.includes('manage-pipelines')
  ? 'pipelines'
  : process.argv[process.argv.indexOf('--only') + 1];
if (process.env.CDC_TRACE && /[\\/]cdc(\.js)?$/.test(process.argv[1] ?? '')) start();

function start() {
  const file = join(process.env.CDC_TRACE, stage);
  const { appendFileSync } = fs;
  const note = (what, subject) => appendFileSync(file, `${what}\t${subject}\n`);
  wrapFunctions(fs, note);
  wrapFunctions(fs.promises, note);
  syncBuiltinESMExports();
  const { env } = process;
  process.env = new Proxy(env, {
    get: (target, name) => {
      if (typeof name === 'string') note('variable', name);
      return target[name];
    },
    ownKeys: (target) => {
      note('variable', '*');
      return Reflect.ownKeys(target);
    },
  });
}

/** Makes every function of a module that takes a path record it. Opening a file for writing counts as reading it. */
function wrapFunctions(module, note) {
  for (const [name, original] of Object.entries(module)) {
    if (typeof original !== 'function' || !/^[a-z]/.test(name)) continue;
    const wrapped = function (path, ...others) {
      const text = textOf(path);
      if (text !== undefined && !noted) {
        noted = true;
        note(kindOf(name), resolve(text));
        noted = false;
      }
      return original.call(this, path, ...others);
    };
    Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
    module[name] = wrapped;
  }
}

let noted = false;

function textOf(path) {
  if (typeof path === 'string') return path;
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path);
  return Buffer.isBuffer(path) ? path.toString() : undefined;
}

function kindOf(name) {
  if (/^(readFile|open|createReadStream|copyFile|cp)/.test(name)) return 'read';
  if (/^(readdir|opendir|glob)/.test(name)) return 'list';
  return /^(stat|lstat|exists|access|realpath|readlink)/.test(name) ? 'look' : 'write';
}
