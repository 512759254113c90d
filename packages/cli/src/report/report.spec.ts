/// <reference lib="dom" />
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describeDebian, type PostgresServer } from '@cdc-migrations/postgres-fixture';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { edit, emptyFolder } from '../repo.fixture.ts';
import { BLUE, runCommand, runInstalled, startBlue } from '../target/cli.fixture.ts';
import { launchChromium, openPage, renderBuilt, withTenants } from './page.fixture.ts';
import { packPage } from './pack-page.ts';
import type { PageData } from './page-data.ts';
import type { AnsweredTarget, ReportDocument } from './report-document.ts';

const TARGET = 'sink_asma.directory in prod';
/** A name that ends the script and begins another one unless it is escaped. The message also contains markup. */
const HOSTILE = `</script><script>document.title='obeyed'</script>"'&`;
const MESSAGE = `${HOSTILE}<img src=x onerror=alert(1)>`;

let repo: Awaited<ReturnType<typeof startBlue>>;
let server: PostgresServer;
let env: NodeJS.ProcessEnv;
let folder: string;
let document: ReportDocument;

beforeAll(async () => {
  repo = await startBlue();
  ({ server, env } = repo);
  folder = emptyFolder();
  const sql = server.connect({ database: 'directory', max: 1, fetch_types: false });
  const stage = (offset: number, name: string) =>
    sql`INSERT INTO blue."stg_Distrikt" ("DistriktID", "Navn", "_customer_id", "__source_db", "__source_table",
        "__cdc_operation", "__kafka_partition", "__kafka_offset", "__source_ts_ms")
      VALUES (${offset}, ${name}, '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Distrikt', 'c', 0, ${offset},
        extract(epoch FROM now() - interval '90 seconds')::bigint * 1000)`;
  await stage(0, 'navn');
  await stage(1, 'x'.repeat(200));
  await runCommand(repo.root, ['merge', ...BLUE], env);
  await sql.unsafe(`CREATE TABLE blue."${HOSTILE.replaceAll('"', '""')}" (id integer);
    CREATE FUNCTION blue.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION USING MESSAGE = '${MESSAGE.replaceAll("'", "''")}'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON blue."Region" FOR EACH STATEMENT EXECUTE FUNCTION blue.refuse();
    INSERT INTO blue."stg_Region" ("RegionNr", "Navn", "_customer_id", "__source_db", "__source_table",
        "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (1, 'x', '0a827150-1332-5167-993b-68db156438cb', 'AdOpus', 'Region', 'c', 0, 0)`);
  await runCommand(repo.root, ['merge', ...BLUE], env);
  await sql.end();
  const git = (...args: readonly string[]) =>
    spawnSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@localhost', ...args], {
      cwd: repo.root,
    });
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'x');
  edit(repo.root, 'services/adopus.yaml', '[Døv, Fødeland]', '[Døv]');
  expect((await runCommand(repo.root, ['generate'])).exitCode).toBe(0);
  const run = await report('--json', '--drift', '--since', 'HEAD');
  expect(run).toMatchObject({ exitCode: 1, stderr: '' });
  document = JSON.parse(run.stdout);
}, 120_000);

afterAll(async () => {
  await repo?.stop();
});

const report = (...args: readonly string[]) =>
  runInstalled(repo.root, ['report', ...BLUE, ...args], env);

/** Data of a page. */
function dataOf(path: string): PageData {
  const html = readFileSync(path, 'utf8');
  const [, json] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)!;
  return JSON.parse(json!) as PageData;
}

describe('the command report', () => {
  it('prints the data of status, check, explain and diff', () => {
    expect(document).toMatchObject({
      exitCode: 1,
      env: 'prod',
      madeAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      targets: [
        {
          target: TARGET,
          summary: 'not all applied, merges of 1 table failed, 1 dead letter',
          flow: { sourceGroup: 'adopus', sourceType: 'mssql', databases: 24, writer: null },
          failingMerges: [
            { schema: 'blue', table: 'Region', error: `${MESSAGE} (SQLSTATE P0001)` },
          ],
          deadLetters: [{ schema: 'blue', table: 'Distrikt', count: 1 }],
        },
      ],
      since: {
        commit: 'HEAD',
        changes: [{ kind: 'column added', class: 'free', table: 'adopus.Actor' }],
      },
    });
    const [target] = document.targets as readonly AnsweredTarget[];
    expect(target!.differences).toContainEqual(
      expect.objectContaining({ kind: 'extra', schema: 'blue', name: HOSTILE }),
    );
    const distrikt = target!.merges.find(({ table }) => table === 'Distrikt');
    expect(distrikt).toMatchObject({ deadLetters: 1, isFailing: false });
    expect(document.tables.find(({ table }) => table === 'Distrikt')!.columns[0]).toMatchObject({
      ...{ name: 'DistriktID', stagingType: 'bigint', type: 'integer' },
    });
  });

  it('marks a target as fine only if it has no leftovers', () => {
    const [target] = document.targets as readonly AnsweredTarget[];
    const entries = Object.entries(target!).map(([key, value]) => [
      key,
      Array.isArray(value) ? [] : value,
    ]);
    const calm = { ...Object.fromEntries(entries), summary: 'all applied' } as AnsweredTarget;
    const leftovers = [{ schema: 'blue', table: 'Gone', message: 'its staging table is left' }];
    const pages = [calm, { ...calm, leftovers } as AnsweredTarget].map((one) =>
      packPage({ ...document, targets: [one] }),
    );
    expect(pages.map(({ targets }) => targets[0]!.isFine)).toEqual([true, false]);
  });

  it('writes the page, and prints a summary of the target', async () => {
    const out = join(folder, 'report.html');
    const { stdout, stderr, exitCode } = await report('--out', out);
    expect([stderr, exitCode]).toEqual(['', 1]);
    expect(stdout).toMatch(
      new RegExp(`^${TARGET}: not all applied, .*1 dead letter\n${out}: 1 target, \\d+ kB\n$`),
    );
    const [target] = dataOf(out).targets;
    expect(target).toMatchObject({ label: TARGET, isFine: false, isChecked: false, error: null });
    const [row] = target!.rows.filter((_, index) => index === target!.rowOf[1]);
    const letters = [...row!].map((letter, index) => [target!.files[index]!.path, letter]);
    expect(Object.fromEntries(letters)).toMatchObject({
      'tables/Actor.sql': 'o',
      'staging/Actor-staging.sql': 'o',
      'tables/Distrikt.sql': 'a',
      'infrastructure/cdc-management.sql': '-',
    });
    expect(target!.findings.map(({ kind, about, count }) => [kind, about, count])).toEqual([
      ['failing merge', 'Region', 1],
      ['dead letters', 'Distrikt', 1],
      ['outdated file', 'tables/Actor.sql', 1],
      ['outdated file', 'staging/Actor-staging.sql', 1],
    ]);
  });

  it('shows a target that cannot be reached, with the exit code and errors of status', async () => {
    const out = join(folder, 'down.html');
    const down = { ...env, POSTGRES_PROD_PORT: '1' };
    const run = await runInstalled(repo.root, ['report', ...BLUE, '--out', out], down);
    const status = await runCommand(repo.root, ['status', ...BLUE], down);
    expect([run.exitCode, run.stderr]).toEqual([status.exitCode, status.stderr]);
    expect(run.exitCode).toBe(2);
    expect(run.stdout).toContain(`${TARGET}: no answer\n`);
    expect(dataOf(out).targets).toMatchObject([
      { label: TARGET, error: expect.stringMatching(/^cannot be reached/), schemas: [] },
    ]);
  });

  it.each([
    [[], 'expected --out <file>, --json, or both'],
    [['--json', '--exclude', '*'], '--exclude needs --drift; add --drift'],
    [['--json', '--since', 'no-such-commit'], '--since no-such-commit: fatal: '],
    [['--out', '/no/such/folder/report.html'], '--out /no/such/folder/report.html: '],
  ])('refuses %j', async (args, message) => {
    const run = await report(...args);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(message);
  });
});

const PAGE = readFileSync(join(__dirname, '../../../../docs/report.md'), 'utf8');
const COMMANDS = [...PAGE.matchAll(/^ *npx --no-install cdc manage-migrations (.+)$/gm)].map(
  ([, command]) => command!,
);

it.each(COMMANDS)('runs the command of the documentation page: %s', async (command) => {
  const args = command
    .replace('report.html', join(folder, 'documented.html'))
    .replace('origin/main', 'HEAD')
    .split(' ')
    .map((word) => word.replace(/^'(.*)'$/, '$1'));
  const { exitCode, stderr } = await runInstalled(repo.root, args, env);
  expect([exitCode, stderr]).toEqual([1, '']);
});

describeDebian(
  'the page in a browser',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    });
    afterAll(() => browser?.close());

    const axe = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');

    /** Writes a page for this many tenants. */
    function writePage(tenants: number): string {
      const path = join(folder, `${tenants}.html`);
      writeFileSync(path, renderBuilt(withTenants(document, tenants)));
      return path;
    }

    async function expectAccessible(page: Page): Promise<void> {
      await page.evaluate(axe);
      const { violations } = (await page.evaluate(
        'axe.run({ resultTypes: ["violations"] })',
      )) as AxeResults;
      expect(
        violations.map(({ id, nodes }) => [
          id,
          nodes.map(({ target, failureSummary }) => [target, failureSummary]),
        ]),
      ).toEqual([]);
    }

    const widthOf = (page: Page) =>
      page.evaluate(() => window.document.documentElement.scrollWidth);

    it.each([
      [390, 'light'],
      [390, 'dark'],
      [1280, 'light'],
      [1280, 'dark'],
      [1920, 'light'],
      [1920, 'dark'],
    ] as const)('fits into %i px in %s mode, and is accessible', async (width, colorScheme) => {
      const viewport = { width, height: 900 };
      const { page, complaints } = await openPage(browser, writePage(26), {
        ...{ viewport, colorScheme, bypassCSP: true },
      });
      for (const hash of ['', '#/0/table/adopus.Actor', '#/0/tenant/blue']) {
        await page.evaluate((to) => (location.hash = to), hash);
        expect(await widthOf(page)).toBe(width);
        // Colours do not depend on the width.
        if (width === 1280 || (hash === '' && colorScheme === 'light'))
          await expectAccessible(page);
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('holds 2,600 tenants in less than 2 MB, and renders few of them', async () => {
      const path = writePage(2600);
      expect(readFileSync(path).byteLength).toBeLessThan(2_000_000);
      const { page, complaints } = await openPage(browser, path, { bypassCSP: true });
      expect(await page.locator('.count').textContent()).toBe('2,600 tenants');
      expect(await page.locator('.grid tbody tr').count()).toBeLessThan(80);
      await expectAccessible(page);
      await page.keyboard.press('/');
      await page.keyboard.type('blue2599');
      expect(await page.locator('.count').textContent()).toBe('1 of 2,600 tenants');
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('works with the keyboard alone', async () => {
      const { page, complaints } = await openPage(browser, writePage(26));
      const focused = () => page.evaluate(() => window.document.activeElement?.textContent);
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('Skip to the content');
      await page.keyboard.press('Enter');
      expect(await page.evaluate(() => window.document.activeElement?.id)).toBe('main');
      const grid = page.getByRole('grid');
      await grid.focus();
      const info = page.locator('.cell-info');
      await expect(info.textContent()).resolves.toMatch(
        /^blue · Actor tables\/Actor\.sql outdated/,
      );
      for (const key of ['ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
      expect(await info.textContent()).toMatch(
        /^blue1 · ActorActor tables\/ActorActor\.sql applied/,
      );
      await page.keyboard.press('Control+End');
      expect(await info.textContent()).toMatch(/^blue25 · Ytelse/);
      const active = await grid.getAttribute('aria-activedescendant');
      expect(await page.locator(`[id="${active}"]`).getAttribute('aria-label')).toBe('applied');
      await page.keyboard.press('Enter');
      expect(await focused()).toBe('blue25');
      expect(page.url()).toContain('#/0/tenant/blue25');
      await page.keyboard.press('/');
      await page.keyboard.type('distrikt');
      expect(await page.locator('.finding .name').allTextContents()).toContain('Distrikt');
      expect(await page.locator('.grid thead .upright').allTextContents()).toEqual([
        'AnsattDistrikt',
        'Distrikt',
      ]);
      await page.keyboard.press('Escape');
      expect(await page.locator('.grid thead .upright').count()).toBe(39);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('selects tenants by state, and shows merges, lag and drift', async () => {
      const { page } = await openPage(browser, writePage(26));
      const legend = page.locator('.legend');
      expect(await legend.textContent()).toBe('↻outdated 26✓applied 988');
      await legend.getByRole('button', { name: 'outdated' }).press('Enter');
      expect(
        await legend.getByRole('button', { name: 'outdated' }).getAttribute('aria-pressed'),
      ).toBe('true');
      const view = page.getByLabel('Show');
      await view.selectOption('Merges');
      expect(await legend.textContent()).toMatch(/^✕failing 26†dead letters 26/);
      await view.selectOption('Lag');
      expect(
        await page.locator('.cell[data-text="1 min"]').first().getAttribute('aria-label'),
      ).toBe('lag 1 min');
      await view.selectOption('Drift');
      expect(await legend.textContent()).toMatch(/^≠different 5\d/);
      await page.context().close();
    });

    it('shows names and messages without interpreting their markup', async () => {
      const { page, complaints } = await openPage(browser, writePage(26));
      expect(await page.title()).toBe(`prod: ${TARGET}`);
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.locator('.finding').allTextContents()).toContainEqual(
        expect.stringContaining(MESSAGE),
      );
      const refused = await page.evaluate(() => {
        try {
          window.document.body.innerHTML = '<b>markup</b>';
          return '';
        } catch (error) {
          return String(error);
        }
      });
      expect(refused).toContain('TrustedHTML');
      expect(complaints.filter((text) => !text.includes('TrustedHTML'))).toEqual([]);
      await page.context().close();
    });

    it('keeps the chosen theme after a reload', async () => {
      const { page } = await openPage(browser, writePage(26), { colorScheme: 'light' });
      const color = () =>
        page.evaluate(() => getComputedStyle(window.document.body).backgroundColor);
      const light = await color();
      const theme = page.getByRole('button', { name: 'Theme' });
      await theme.click();
      await theme.click();
      expect(await theme.textContent()).toBe('Theme: dark');
      const dark = await color();
      expect(dark).not.toBe(light);
      await page.reload();
      expect(await color()).toBe(dark);
      await page.context().close();
    });

    it('prints all tenants within the width of an A4 page', async () => {
      const viewport = { width: 794, height: 1123 };
      const { page } = await openPage(browser, writePage(100), { viewport });
      await page.emulateMedia({ media: 'print' });
      expect(await widthOf(page)).toBe(viewport.width);
      await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
      expect(await page.locator('.grid tbody tr:not(.spacer)').count()).toBe(100);
      await page.context().close();
    });

    it('shows a summary if JavaScript is disabled', async () => {
      const { page } = await openPage(browser, writePage(26), { javaScriptEnabled: false });
      const text = await page.locator('main').textContent();
      expect(text).toContain(TARGET);
      expect(text).toContain('dead letters: Distrikt, 26 in 26 schemas');
      await page.context().close();
    });
  },
  ['chromium'],
);
