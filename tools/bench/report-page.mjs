/**
 * Measures `cdc manage-migrations report`, and its page in Debian's Chromium with 24 and with 2,600 tenants of 39 tables:
 * how large it is, when it is interactive, how long a search takes.
 *
 *     npm run bench:report -- [--rounds 5] [--write]
 *
 * `--write` puts the table into `BENCHMARKS.md`. Needs `npm run build`, and Debian's `chromium`.
 */
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { startShowcase } from '../docs/showcase.mjs';
import { describeMachine, renderTable, writeSection } from './report.mjs';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'tmp/bench-report');
const REPORT = join(ROOT, 'packages/cli/src/report');
/** What the page is asked: when it was interactive, and how long a search takes with the layout. */
const MEASURE = `(() => {
  const [{ startTime: interactive }] = performance.getEntriesByName('interactive');
  const input = document.querySelector('input[type=search]');
  const start = performance.now();
  input.value = 'distrikt';
  input.dispatchEvent(new Event('input'));
  document.body.getBoundingClientRect();
  return { interactive, search: performance.now() - start };
})()`;
const MAX_KB = 2000;
const MAX_MS = 1000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const { renderBuilt, withTenants, launchChromium } = await importFixture();
const showcase = await startShowcase();
let command = 0;
let document;
try {
  const start = performance.now();
  const json = showcase.cdc('report', '--env', 'prod', '--drift', '--since', 'HEAD', '--json');
  command = performance.now() - start;
  document = JSON.parse(json);
} finally {
  await showcase.stop();
}
const browser = await launchChromium();
const rows = [['tenants', 'kB', 'interactive ms', 'search ms', 'aim']];
for (const tenants of [24, 2600]) {
  const path = join(FOLDER, `${tenants}.html`);
  writeFileSync(path, renderBuilt(tenants === 24 ? document : withTenants(document, tenants)));
  /** @type {{ readonly interactive: number, readonly search: number }[]} */
  const runs = [];
  // The first one starts the processes of the browser.
  for (let round = 0; round <= Number(values.rounds); round++) runs.push(await measurePage(path));
  /** @param {(run: (typeof runs)[number]) => number} read */
  const median = (read) => middle(runs.slice(1).map(read));
  rows.push([
    tenants.toLocaleString('en'),
    String(Math.ceil(statSync(path).size / 1000)),
    median(({ interactive }) => interactive).toFixed(0),
    median(({ search }) => search).toFixed(0),
    tenants === 24 ? '' : `under ${MAX_KB} kB, under ${MAX_MS} ms`,
  ]);
}
await browser.close();
rmSync(FOLDER, { recursive: true });
const text = [
  '### The HTML page of `report` with 39 tables, in Chromium',
  '',
  ...renderTable(rows),
  '',
  `The command itself takes ${(command / 1000).toFixed(1)} s with --drift and --since, for 24 tenants on PostgreSQL 18.`,
  '',
  `${describeMachine()}, Chromium ${browser.version()}, ${values.rounds} rounds.`,
].join('\n');
console.log(text);
if (values.write) writeSection(join(ROOT, 'BENCHMARKS.md'), 'report-page', text);

/** What the tests of the page use. */
async function importFixture() {
  const outfile = join(FOLDER, 'fixture.mjs');
  await build({
    entryPoints: [join(REPORT, 'page.fixture.ts')],
    ...{ outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' },
    conditions: ['@cdc-migrations/source'],
    external: ['playwright-core'],
    banner: {
      js: `import { createRequire } from 'node:module';
        const require = createRequire(import.meta.url); const __dirname = ${JSON.stringify(REPORT)};`,
    },
  });
  return await import(pathToFileURL(outfile).href);
}

/**
 * @param {string} path
 * @returns {Promise<{ readonly interactive: number, readonly search: number }>}
 */
async function measurePage(path) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(pathToFileURL(path).href);
  const result = await page.evaluate(MEASURE);
  await page.close();
  return result;
}

/** @param {readonly number[]} numbers */
function middle(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
