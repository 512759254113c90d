import {
  MERGE_MARKS,
  NO_FILE,
  STATE_LETTERS,
  type PageData,
  type PageFinding,
  type PageTable,
  type PageTarget,
} from '../page-data.ts';

export type FileState = keyof typeof STATE_LETTERS;
export type MergeMark = (typeof MERGE_MARKS)[number];

/** States, worst first. */
export const STATES: readonly FileState[] = [
  ...(['failed', 'unsafe', 'edited', 'missing', 'outdated', 'pending', 'applied'] as const),
];

/** The state of a letter; undefined for a schema that does not have the file. */
export function stateOfLetter(letter: string | undefined): FileState | undefined {
  return STATES.find((state) => STATE_LETTERS[state] === letter);
}

/** A column of the grid: a table with its files, or a file that belongs to no table. */
export interface Column {
  readonly index: number;
  readonly name: string;
  /** Indexes of its files. */
  readonly files: readonly number[];
  /** Index in the tables of the health; -1 if it is not merged. */
  readonly merged: number;
}

/** A target with what the views look up. */
export interface Model {
  readonly index: number;
  readonly target: PageTarget;
  readonly tables: readonly PageTable[];
  readonly texts: readonly string[];
  readonly columns: readonly Column[];
  /** Indexes of the schemas that are rows of the grid: all but the database. */
  readonly rows: readonly number[];
  /** Index of what belongs to the whole database; -1 for none. */
  readonly database: number;
  readonly stateOf: (schema: number, column: Column) => FileState | undefined;
  readonly lagOf: (schema: number, column: Column) => number | undefined;
  readonly marksOf: (schema: number, column: Column) => readonly (readonly [MergeMark, number])[];
  readonly findingsOf: (schema: number, column?: Column) => readonly PageFinding[];
  /** True if a schema has a file that is not applied, or a finding. */
  readonly isOpen: (schema: number) => boolean;
}

/** Builds the model of a target. */
export function buildModel(data: PageData, index: number): Model {
  const target = data.targets[index]!;
  const columns = listColumns(target);
  const database = target.schemas.indexOf('');
  const marks = indexMarks(target);
  const findings = indexFindings(target);
  const lagRows = target.health.lags.map((row) => row.split(',').map((lag) => parseInt(lag, 36)));
  const tables = target.health.tables.length;
  const rowStates = target.rows.map((row) => columns.map((column) => worstState(row, column)));
  const isOpenRow = target.rows.map((row) => /[^-a]/.test(row));
  return {
    ...{ index, target, columns, database, texts: data.texts },
    stateOf: (schema, column) => rowStates[target.rowOf[schema] ?? -1]?.[column.index],
    tables: data.tables.filter(({ set }) => set === target.set),
    rows: target.rowOf.map((_, schema) => schema).filter((schema) => schema !== database),
    lagOf: (schema, { merged }) => {
      const lag = lagRows[target.health.lagOf[schema] ?? -1]?.[merged];
      return lag === undefined || Number.isNaN(lag) ? undefined : lag;
    },
    marksOf: (schema, { merged }) => marks.get(schema * tables + merged) ?? NO_MARKS,
    findingsOf: (schema, column) => {
      const own = findings.get(schema) ?? [];
      return column ? own.filter((finding) => finding.column === column.name) : own;
    },
    isOpen: (schema) =>
      isOpenRow[target.rowOf[schema] ?? -1] === true || (findings.get(schema) ?? []).some(isOpen),
  };
}

const NO_MARKS = [] as const;

/** The worst state of the files of a column; undefined if none of them is there. */
function worstState(row: string, { files }: Column): FileState | undefined {
  const states = files.map((file) => stateOfLetter(row[file]));
  return STATES.find((state) => states.includes(state));
}

function isOpen({ level }: PageFinding): boolean {
  return level !== 'note';
}

function listColumns({ files, health, schemas, rowOf, rows }: PageTarget): readonly Column[] {
  const names = [...new Set(files.map(({ column }) => column))];
  const isOfDatabase = schemas.indexOf('');
  const tenantRows = new Set(rowOf.filter((_, schema) => schema !== isOfDatabase));
  const isUsed = (file: number) =>
    [...tenantRows].some((row) => (rows[row]?.[file] ?? NO_FILE) !== NO_FILE);
  return names
    .map((name) => ({
      name,
      files: files.flatMap(({ column }, file) => (column === name ? [file] : [])),
      merged: health.tables.indexOf(name),
    }))
    .filter((column) => column.files.some(isUsed))
    .map((column, index) => ({ ...column, index }));
}

/** Marks by schema and table, as one number. */
function indexMarks({ health: { marks, tables } }: PageTarget) {
  const found = new Map<number, (readonly [MergeMark, number])[]>();
  for (let at = 0; at < marks.length; at += 4) {
    const [schema, table, mark, count] = marks.slice(at, at + 4) as [
      number,
      number,
      number,
      number,
    ];
    const key = schema * tables.length + table;
    const own = found.get(key) ?? [];
    found.set(key, own);
    own.push([MERGE_MARKS[mark]!, count]);
  }
  return found;
}

function indexFindings({ findings }: PageTarget): ReadonlyMap<number, readonly PageFinding[]> {
  const found = new Map<number, PageFinding[]>();
  for (const finding of findings) {
    for (const schema of new Set(finding.items.map(([schema]) => schema))) {
      const own = found.get(schema);
      if (own) own.push(finding);
      else found.set(schema, [finding]);
    }
  }
  return found;
}

const NUMBERS = new Intl.NumberFormat('en');

/** `1,868`. */
export function number(value: number): string {
  return NUMBERS.format(value);
}

/** `1 tenant`, `2,600 tenants`. */
export function countOf(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

const UNITS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** `45 s`, `3 min`, `2 h`, `5 d`. */
export function duration(seconds: number): string {
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${number(Math.floor(seconds / size))} ${unit}`;
}

/** `640 B`, `12 kB`, `1.5 GB`. */
export function bytes(value: number): string {
  const power = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}

/** `28 Nov 2026, 13:20 UTC`. */
export function time(iso: string | number): string {
  const date = new Date(typeof iso === 'number' ? iso * 1000 : iso);
  const format = new Intl.DateTimeFormat('en-GB', {
    ...({ day: 'numeric', month: 'short', year: 'numeric' } as const),
    ...({ hour: '2-digit', minute: '2-digit', timeZone: 'UTC' } as const),
  });
  return `${format.format(date)} UTC`;
}

/** True if each word of a search is in one of the texts. */
export function matches(query: string, ...texts: readonly string[]): boolean {
  const text = texts.join(' ').toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
