import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

/** @import { Run } from './measure.mjs' */

/**
 * A line of a table: a command, its baseline, and its target figure.
 *
 * @typedef {object} Line
 * @property {string} name
 * @property {readonly Run[]} runs
 * @property {readonly Run[]} [baseline] runs of the command that this one is compared with, in the same rounds
 * @property {string} [aim]
 * @property {number} [tables] how many tables the command works on
 */

/**
 * @param {string} title
 * @param {readonly Line[]} lines
 * @returns {string} a section in Markdown
 */
export function renderSection(title, lines) {
  const head = [
    ...['command', 'median s', 'min', 'max', 'ratio', 'min', 'max'],
    ...['cpu s', 'cpu ratio', 'per table ms', 'aim'],
  ];
  const rows = lines.map(({ name, runs, baseline, aim, tables }) => {
    const walls = summarize(runs.map(({ wall }) => wall));
    const cpu = summarize(runs.flatMap((run) => run.cpu ?? []));
    const ratios = summarize(divide(runs, baseline, 'wall'));
    const cpuRatios = summarize(divide(runs, baseline, 'cpu'));
    const perTableMs = tables && walls.median && (walls.median / tables) * 1000;
    return [
      name,
      ...[walls.median, walls.min, walls.max].map((value) => formatNumber(value, 3)),
      ...[ratios.median, ratios.min, ratios.max].map((value) => formatNumber(value, 2)),
      formatNumber(cpu.median, 3),
      ...[cpuRatios.median, perTableMs].map((value) => formatNumber(value, 2)),
      aim ?? '',
    ];
  });
  return [`### ${title}`, '', ...renderTable([head, ...rows]), ''].join('\n');
}

/**
 * Divides the figures of runs in the same round.
 *
 * @param {readonly Run[]} runs
 * @param {readonly Run[] | undefined} baseline
 * @param {'wall' | 'cpu'} figure
 * @returns {number[]}
 */
function divide(runs, baseline, figure) {
  return runs.flatMap((run, round) => {
    const [value, other] = [run[figure], baseline?.[round]?.[figure]];
    return value !== undefined && other ? [value / other] : [];
  });
}

/**
 * @param {readonly number[]} values
 * @returns {{ readonly median?: number, readonly min?: number, readonly max?: number }}
 */
function summarize(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const lower = sorted[Math.ceil(middle) - 1];
  const upper = sorted[Math.floor(middle)];
  if (lower === undefined || upper === undefined) return {};
  return { median: (lower + upper) / 2, min: Math.min(...sorted), max: Math.max(...sorted) };
}

/**
 * @param {number | undefined} value
 * @param {number} digits
 */
const formatNumber = (value, digits) => (value === undefined ? '' : value.toFixed(digits));

/**
 * @param {readonly (readonly string[])[]} rows the first is the head
 * @returns {string[]}
 */
export function renderTable(rows) {
  const [head = []] = rows;
  const widths = head.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    return `| ${cells.join(' | ')} |`;
  });
  const rule = widths.map((width, i) =>
    i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [lines[0] ?? '', `| ${rule.join(' | ')} |`, ...lines.slice(1)];
}

/** Describes the machine and the date in one line. */
export function describeMachine() {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${cpus().length} cores (${cpu?.model.trim()}), ${gib} GiB, Node ${process.version}`;
}

/**
 * Writes a section of `BENCHMARKS.md` between the two comments with its name, or at the end.
 *
 * @param {string} file
 * @param {string} name
 * @param {string} text
 */
export function writeSection(file, name, text) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = readFileSync(file, 'utf8');
  const section = `${begin}\n\n${text.trim()}\n\n${end}`;
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  const after =
    from < 0
      ? `${before.trimEnd()}\n\n${section}\n`
      : before.slice(0, from) + section + before.slice(to + end.length);
  writeFileSync(file, after);
}
