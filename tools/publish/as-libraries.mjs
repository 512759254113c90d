import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@cdc-migrations/postgres-fixture';
import { expectEqual } from './expect-equal.mjs';
import { installIn, makeFolder, succeedIn, writeFiles } from './foreign-folder.mjs';
import { EXAMPLES, ROOT } from './packages.mjs';

/** @import { Step } from './check-tarballs.mjs' */

const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Compiler options of other projects. Libraries are checked too. */
const STRICT = {
  strict: true,
  target: 'es2022',
  lib: ['es2023'],
  skipLibCheck: false,
  types: ['node'],
};
const TSCONFIGS = {
  'tsconfig.node16.json': {
    compilerOptions: {
      ...STRICT,
      module: 'node16',
      rewriteRelativeImportExtensions: true,
      rootDir: '.',
      outDir: 'built',
    },
    include: ['*.ts'],
  },
  'tsconfig.bundler.json': {
    compilerOptions: {
      ...STRICT,
      module: 'esnext',
      moduleResolution: 'bundler',
      allowImportingTsExtensions: true,
      noEmit: true,
    },
    include: ['*.ts'],
  },
};

/**
 * Runs the programs of `examples/` and the examples of all READMEs with only the tarballs.
 *
 * @param {ReadonlyMap<string, string>} tarballs by package
 * @param {Step} step
 * @param {{ readonly update: boolean }} options to write what the examples print
 */
export async function tryAsLibraries(tarballs, step, { update }) {
  const folder = makeFolder('libraries', {
    'package.json': { name: 'foreign', private: true, type: 'module' },
    ...TSCONFIGS,
  });
  await step('as libraries: npm install', () => install(folder, tarballs));
  const names = readdirSync(EXAMPLES).filter((file) => file.endsWith('.ts'));
  await step('types of the examples as node16 and bundler resolve them', () => {
    for (const name of names) cpSync(join(EXAMPLES, name), join(folder, name));
    for (const config of Object.keys(TSCONFIGS))
      succeedIn(folder, 'npx', ['--no-install', 'tsc', '-p', config]);
  });
  const server = await startPostgres({ major: 15 });
  try {
    const variables = async () => ({
      PGHOST: server.host,
      PGPORT: String(server.port),
      PGUSER: 'postgres',
      PGPASSWORD: server.password,
      PGDATABASE: await server.createDatabase(),
    });
    await step('every example prints what it is expected to', () =>
      runExamples(folder, variables, { update }),
    );
    await step('every example of a README prints what it says', async () => {
      for (const name of tarballs.keys()) runReadme(folder, name, await variables());
    });
  } finally {
    await server.stop();
  }
}

/**
 * @param {string} folder
 * @param {ReadonlyMap<string, string>} tarballs
 */
function install(folder, tarballs) {
  // Installs all at once, because they depend on each other by versions that no registry has.
  const libraries = [...tarballs].filter(([name]) => name !== '@cdc-migrations/nx');
  installIn(folder, ['--omit=optional', ...libraries.map(([, file]) => `file:${file}`)]);
  const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name]}`);
  installIn(folder, ['--omit=optional', '--save-dev', ...tools]);
}

/**
 * Runs the compiled examples, each with its own database, and the implementation repo that `cli.sh` creates.
 *
 * @param {string} folder
 * @param {() => Promise<Record<string, string>>} variables of a new database
 * @param {{ readonly update: boolean }} options
 */
async function runExamples(folder, variables, { update }) {
  succeedIn(folder, 'sh', [join(EXAMPLES, 'cli.sh')]);
  for (const file of readdirSync(join(EXAMPLES, 'expected'))) {
    const name = file.replace(/\.txt$/, '');
    const program = [`built/${name}.js`, 'shop'];
    const printed = succeedIn(folder, process.execPath, program, await variables());
    if (update) writeFileSync(join(EXAMPLES, 'expected', file), printed);
    else
      expectEqual([name, printed], [name, readFileSync(join(EXAMPLES, 'expected', file), 'utf8')]);
  }
}

/**
 * Runs the first `js` block of the README installed with a package. The next block is its expected output.
 *
 * @param {string} folder
 * @param {string} name
 * @param {Readonly<Record<string, string>>} variables of a new database
 */
function runReadme(folder, name, variables) {
  const path = join(folder, 'node_modules', name, 'README.md');
  const readme = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const [, code, promised] = /^```js\n([^]*?)^```\n[^]*?^```\w+\n([^]*?)^```$/m.exec(readme) ?? [];
  if (code === undefined || promised === undefined) return;
  writeFiles(folder, { 'readme.js': code });
  const printed = succeedIn(folder, process.execPath, ['readme.js'], variables);
  expectEqual([name, printed.trimEnd()], [name, promised.trimEnd()]);
}
