// Bundles the command line. A few files start much faster than hundreds, and templates are compiled here instead of at
// every start.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import Handlebars from 'handlebars';
import { renderLicenses } from './licenses.mjs';

const PACKAGES = join(import.meta.dirname, '..');
const OUT = join(import.meta.dirname, 'dist');
const require = createRequire(import.meta.url);

rmSync(OUT, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: [join(import.meta.dirname, 'src/main.ts')],
  outdir: OUT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  conditions: ['@cdc-migrations/source'],
  mainFields: ['module', 'main'],
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'linked',
  metafile: true,
  absWorkingDir: import.meta.dirname,
  logLevel: 'warning',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
  },
  plugins: [compiledTemplates(), withoutAzure()],
});

// Script and style that `report` puts into its page.
await build({
  entryPoints: {
    'report-page': join(import.meta.dirname, 'src/report/page/main.ts'),
    'report-style': join(import.meta.dirname, 'src/report/page/page.css'),
  },
  outdir: OUT,
  bundle: true,
  format: 'iife',
  target: 'es2023',
  minify: true,
  charset: 'utf8',
  logLevel: 'warning',
});

writeFileSync(join(OUT, 'LICENSES.txt'), renderLicenses(bundledFiles(metafile)));

// The grammar of PostgreSQL. Its loader expects it in its own folder.
cpSync(require.resolve('libpg-query/wasm/libpg-query.wasm'), join(OUT, 'libpg-query.wasm'));

// JSON Schemas for editors. A repo refers to them by their path in this package.
cpSync(join(PACKAGES, 'config/schemas'), join(OUT, 'schemas'), { recursive: true });

/** Returns the source files of which a part is in the bundle. */
function bundledFiles({ outputs }) {
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => join(import.meta.dirname, path));
}

/** Replaces the loader of `sql-text` by one that holds all templates of the workspace, compiled. */
function compiledTemplates() {
  return {
    name: 'compiled-templates',
    setup({ onLoad }) {
      onLoad({ filter: /sql-text\/src\/template\.ts$/ }, async ({ path }) => {
        const { COMPILE_OPTIONS, nameArguments } = await importText(
          join(path, '../compile-options.ts'),
        );
        const templates = templateFiles().map(([key, file]) => {
          const source = nameArguments(readFileSync(file, 'utf8'));
          return `${JSON.stringify(key)}: ${Handlebars.precompile(source, COMPILE_OPTIONS)}`;
        });
        return {
          loader: 'js',
          resolveDir: join(path, '..'),
          contents: `
            import Handlebars from 'handlebars/runtime.js';
            import { bindTemplate } from './bind-template.ts';
            const templates = { ${templates.join(',\n')} };
            export function loadTemplate(url) {
              const [, key] = url.pathname.split('/templates/');
              return bindTemplate(url, Handlebars.template(templates[key]));
            }`,
        };
      });
    },
  };
}

/**
 * Removes the Azure clients, which the SQL Server driver loads for logins that `source-groups.yaml` cannot configure.
 */
function withoutAzure() {
  return {
    name: 'without-azure',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^@azure\// }, ({ path }) => ({ path, namespace: 'azure' }));
      onLoad({ filter: /.*/, namespace: 'azure' }, () => ({ contents: 'module.exports = {};' }));
    },
  };
}

/** Lists the templates of all packages with their path below `templates/`, which is unique. */
function templateFiles() {
  const files = readdirSync(PACKAGES).flatMap((name) => {
    const folder = join(PACKAGES, name, 'templates');
    try {
      return readdirSync(folder, { recursive: true })
        .filter((file) => file.endsWith('.hbs'))
        .map((file) => [file.replaceAll('\\', '/'), join(folder, file)]);
    } catch {
      return []; // A package without templates.
    }
  });
  const keys = files.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice) throw new Error(`two packages have a template ${twice}; name one of them otherwise`);
  return files;
}

/** Imports a TypeScript module that has no imports. */
async function importText(file) {
  const { code } = await transform(readFileSync(file, 'utf8'), { loader: 'ts' });
  return await import(`data:text/javascript,${encodeURIComponent(code)}`);
}
