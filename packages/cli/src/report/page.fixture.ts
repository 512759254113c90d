import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { packPage } from './pack-page.ts';
import { renderPage } from './render-page.ts';
import type { AnsweredTarget, ReportDocument } from './report-document.ts';

/** The Chromium of Debian. */
const CHROMIUM = '/usr/bin/chromium';

export function launchChromium(): Promise<Browser> {
  // Its sandbox does not work for root, and the pages are ours.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** Opens a page, and collects its errors, warnings and requests. */
export async function openPage(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(`request of ${request.url()}`);
  });
  await page.goto(`file://${path}`);
  return { page, complaints };
}

/** The page of a report, with the script and the style that the build made. */
export function renderBuilt(document: ReportDocument): string {
  const read = (name: string) => readFileSync(join(__dirname, '../../dist', name), 'utf8');
  const files = { script: read('report-page.js'), style: read('report-style.css') };
  return renderPage(packPage(document), files);
}

/** A report of a target that has this many copies of its tenants. */
export function withTenants(document: ReportDocument, count: number): ReportDocument {
  return {
    ...document,
    targets: document.targets.map((target) => multiply(target as AnsweredTarget, count)),
  };
}

function multiply(target: AnsweredTarget, count: number): AnsweredTarget {
  const tenants = target.schemas.filter(({ schema }) => schema !== '');
  const names = new Set(tenants.map(({ schema }) => schema));
  const copies = Array.from({ length: Math.ceil(count / names.size) }, (_, n) => n);
  const copyAll = <Item extends { readonly schema: string | null }>(items: readonly Item[]) =>
    items.flatMap((item) => {
      const { schema } = item;
      if (schema === null || !names.has(schema)) return [item];
      return copies.map((n) => ({ ...item, schema: n === 0 ? schema : `${schema}${n}` }));
    });
  return {
    ...target,
    schemas: copyAll(target.schemas),
    merges: copyAll(target.merges),
    failingMerges: copyAll(target.failingMerges),
    deadLetters: copyAll(target.deadLetters),
    refusedEvents: copyAll(target.refusedEvents),
    differences: copyAll(target.differences ?? []),
  };
}
