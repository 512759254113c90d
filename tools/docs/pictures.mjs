/**
 * Makes the pictures of the README: a terminal session as SVG, and the page of `report` as PNG, light and dark.
 *
 *     npm run pictures
 *
 * Needs `npm run build`, and Debian's `chromium`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { startShowcase } from './showcase.mjs';

const FOLDER = join(import.meta.dirname, '../../docs/pictures');
const SESSION = [
  ['explain', 'Distrikt', 'Navn'],
  ['apply', '--env', 'prod', '--schema', 'briga', 'bufar'],
  ['status', '--env', 'prod', '--schema', 'b*'],
];
const CHROMIUM = '/usr/bin/chromium';
const SIZE = { width: 1280, height: 1560 };
const LETTER_PX = 8.1;
const LINE_PX = 19;
const EDGE_PX = 18;

mkdirSync(FOLDER, { recursive: true });
const showcase = await startShowcase();
try {
  const page = join(showcase.root, 'report.html');
  showcase.cdc('report', '--env', 'prod', '--out', page);
  await takePictures(page);
  const lines = SESSION.flatMap((words) => [
    `$ cdc ${words.map((word) => (word.includes('*') ? `'${word}'` : word)).join(' ')}`,
    ...showcase
      .cdc(...words)
      .trimEnd()
      .split('\n'),
    '',
  ]);
  writeFileSync(join(FOLDER, 'terminal.svg'), renderTerminal([...lines, '$ ']));
} finally {
  await showcase.stop();
}

/** @param {string} path */
async function takePictures(path) {
  // Its sandbox works for no root.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme });
    await page.goto(pathToFileURL(path).href);
    await page.screenshot({ path: join(FOLDER, `report-${colorScheme}.png`) });
  }
  await browser.close();
}

/**
 * Lines of a terminal as a picture.
 *
 * @param {readonly string[]} lines
 */
function renderTerminal(lines) {
  const width = Math.ceil(Math.max(...lines.map(({ length }) => length)) * LETTER_PX) + 2 * EDGE_PX;
  const height = lines.length * LINE_PX + 2 * EDGE_PX;
  const texts = lines.map((line, index) => {
    const y = EDGE_PX + index * LINE_PX + 14;
    const isCommand = line.startsWith('$ ');
    const text = isCommand
      ? `<tspan fill="#86bdf8">$</tspan><tspan font-weight="600" fill="#ffffff">${escape(line.slice(1))}</tspan>`
      : escape(line);
    return `<text x="${EDGE_PX}" y="${y}" xml:space="preserve">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>A terminal session with cdc</title>
<rect width="${width}" height="${height}" rx="10" fill="#161c22"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13.4" fill="#c9d3dc">
${texts.join('\n')}
</g>
</svg>
`;
}

/** @param {string} text */
function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
