import { countOf } from '../count-of.ts';
import type { ReportLines } from '../report-lines.ts';
import type { PlanEntry, PlanTarget } from './plan-file.ts';

const HEAD = ['wave', 'customers', 'file', 'class', 'lock', 'rows', 'size', 'changes'];

/** Renders the effects of a plan on a target: a line for each file, kind of change and wave. */
export function renderPlan(label: string, { database, schemas }: PlanTarget): ReportLines {
  const files = database.length + schemas.reduce((sum, one) => sum + one.files.length, 0);
  const title = `${label}: ${countOf(files, 'file')} to apply to ${countOf(schemas.length, 'schema')}`;
  if (files === 0) return [title];
  const groups = new Map<string, Group>();
  for (const entry of database) addTo(groups, '', entry);
  for (const { wave = '', files: own } of schemas) {
    for (const entry of own) addTo(groups, wave, entry);
  }
  const rows = [...groups.values()].map(({ wave, entry, count, rows: total, bytes }) => [
    wave,
    String(count),
    entry.path,
    entry.class,
    entry.lock,
    total === undefined ? '' : String(total),
    bytes === undefined ? '' : renderBytes(bytes),
    entry.changes.join('; '),
  ]);
  return [title, { head: HEAD, rows, isNumber: (column) => [1, 5, 6].includes(column) }];
}

/** Files with the same effect in several schemas. */
interface Group {
  readonly wave: string;
  readonly entry: PlanEntry;
  count: number;
  /** Undefined if it is unknown for one of them. */
  rows: number | undefined;
  bytes: number | undefined;
}

function addTo(groups: Map<string, Group>, wave: string, entry: PlanEntry): void {
  const { path, class: changeClass, lock, changes, rows, bytes } = entry;
  const key = JSON.stringify([wave, path, changeClass, lock, changes]);
  const group = groups.get(key);
  if (!group) {
    groups.set(key, { wave, entry, count: 1, rows, bytes });
    return;
  }
  group.count++;
  group.rows = add(group.rows, rows);
  group.bytes = add(group.bytes, bytes);
}

function add(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one + other;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Renders bytes as `12.3 MB`. */
function renderBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]!}`;
}
