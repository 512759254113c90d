import { visible } from '@cdc-migrations/generated-file';
import { groupBy } from '@cdc-migrations/sql-text';
import type { TableHealth } from '@cdc-migrations/tracker';
import type { ExplainedColumn, ExplainedTable } from '../explain/explain-table.ts';
import { columnLines, finalType, tableLines, type Line } from '../explain/render-explained.ts';
import { listFindings, withoutLocation, type Finding } from './list-findings.ts';
import {
  MERGE_MARKS,
  NO_FILE,
  STATE_LETTERS,
  type PageColumn,
  type PageData,
  type PageFinding,
  type PageHealth,
  type PageTable,
  type PageTarget,
} from './page-data.ts';
import type { AnsweredTarget, ReportDocument, ReportedTarget } from './report-document.ts';

/** Packs a report into the data of its page, with all text from outside as it is shown. */
export function packPage({ env, madeAt, targets, tables, since }: ReportDocument): PageData {
  const texts = createPool();
  return shown({
    env,
    madeAt,
    targets: targets.map((target) => packTarget(target, tables, texts)),
    tables: tables.map(packTable),
    since: since ?? null,
    texts: texts.values,
  });
}

/** Escapes in all texts what a reader would not see, or what would hide other text. Lines stay lines. */
function shown<Value>(value: Value): Value {
  if (typeof value === 'string') return value.split('\n').map(visible).join('\n') as Value;
  if (Array.isArray(value)) return value.map(shown) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, shown(inner)]),
  ) as Value;
}

/** Different texts, each once. */
interface Pool {
  readonly values: readonly string[];
  /** Index of a text, which is added if it is new. */
  readonly indexOf: (value: string) => number;
}

function createPool(): Pool {
  const indexes = new Map<string, number>();
  const values: string[] = [];
  return {
    values,
    indexOf: (value) => {
      const index = indexes.get(value) ?? values.push(value) - 1;
      indexes.set(value, index);
      return index;
    },
  };
}

const NO_HEALTH: PageHealth = {
  ...{ tables: [], lags: [], lagOf: [], marks: [], lastMerges: [], today: [0, 0, 0, 0] },
  stagingBytes: 0,
};

function packTarget(
  target: ReportedTarget,
  tables: readonly ExplainedTable[],
  texts: Pool,
): PageTarget {
  const { target: label, set, flow } = target;
  if (target.error !== undefined) {
    return {
      ...{ label, set, flow, isFine: false, summary: ['no answer'] },
      error: withoutLocation(target.error, label),
      ...{ files: [], schemas: [], rows: [], rowOf: [], waves: [], findings: [] },
      ...{ health: NO_HEALTH, isChecked: false },
    };
  }
  const { summary, waves = [] } = target;
  const findings = listFindings(target);
  const schemas = target.schemas.map(({ schema }) => schema);
  const columnOf = findColumns(
    target,
    tables.filter((table) => table.set === set),
  );
  return {
    ...{ label, set, flow, error: null, summary: summary.split(', '), schemas },
    isFine: summary === 'all applied' && findings.every(({ level }) => level === 'note'),
    ...packStates(target, columnOf),
    waves: waves.map(({ wave, ...counts }) => ({ wave, counts: Object.values(counts) })),
    health: packHealth(target.merges, schemas),
    isChecked: target.differences !== undefined,
    findings: packFindings(findings, { schemas, columnOf, texts }),
  };
}

/** The column of the grid that a file, a table or its staging table is part of; undefined for anything else. */
type ColumnOf = (name: string) => string | undefined;

function findColumns({ files }: AnsweredTarget, tables: readonly ExplainedTable[]): ColumnOf {
  const columns = new Map([
    ...files.map(({ path, table }) => [path, table ?? path] as const),
    ...tables.flatMap(({ table, merge }) => [
      [table, table] as const,
      ...(merge ? [[merge.staging, table] as const] : []),
    ]),
  ]);
  return (name) => columns.get(name) ?? columns.get(name.split('.')[0]!);
}

function packStates(
  { schemas, files }: AnsweredTarget,
  columnOf: ColumnOf,
): Pick<PageTarget, 'files' | 'rows' | 'rowOf'> {
  // Files that only the history of a target knows come last.
  const gone = schemas.flatMap(({ files: own }) => own.map(({ path }) => path));
  const paths = [...new Set([...files.map(({ path }) => path), ...gone])];
  const rows = createPool();
  const rowOf = schemas.map(({ files: own }) => {
    const states = new Map(own.map(({ path, state }) => [path, STATE_LETTERS[state]]));
    return rows.indexOf(paths.map((path) => states.get(path) ?? NO_FILE).join(''));
  });
  return {
    files: paths.map((path) => ({ path, column: columnOf(path) ?? path })),
    rows: rows.values,
    rowOf,
  };
}

function packHealth(merges: readonly TableHealth[], schemas: readonly string[]): PageHealth {
  const tables = [...new Set(merges.map(({ table }) => table))].sort();
  const tableOf = new Map(tables.map((table, index) => [table, index]));
  const ownOf = groupBy(merges, ({ schema }) => schema);
  const lags = createPool();
  const sum = (read: (health: TableHealth) => number) =>
    merges.reduce((total, health) => total + read(health), 0);
  return {
    tables,
    lagOf: schemas.map((schema) => {
      const own = new Map(ownOf.get(schema)?.map((health) => [health.table, health.lagSeconds]));
      return own.size === 0 ? -1 : lags.indexOf(tables.map((one) => packLag(own.get(one))).join());
    }),
    lags: lags.values,
    marks: schemas.flatMap((schema, index) =>
      (ownOf.get(schema) ?? []).flatMap((health) =>
        marksOf(health).flatMap(([mark, count]) => [
          ...[index, tableOf.get(health.table)!, MERGE_MARKS.indexOf(mark), count],
        ]),
      ),
    ),
    lastMerges: schemas.map((schema) =>
      Math.round(Math.max(0, ...(ownOf.get(schema) ?? []).map((own) => own.lastMergedAt ?? 0))),
    ),
    today: [
      ...[sum(({ merged }) => merged), sum(({ deleted }) => deleted)],
      ...[sum(({ stale }) => stale), sum(({ dead }) => dead)],
    ],
    stagingBytes: sum(({ stagingBytes }) => stagingBytes ?? 0),
  };
}

function packLag(seconds: number | null | undefined): string {
  return seconds == null ? '' : Math.max(0, Math.round(seconds)).toString(36);
}

type Mark = (typeof MERGE_MARKS)[number];

/** What is not as it should be in the merges of a table; of waiting events the seconds. */
function marksOf(health: TableHealth): readonly (readonly [Mark, number])[] {
  const all: Readonly<Record<Mark, number>> = {
    failing: Number(health.isFailing),
    blocked: Number(health.isBlocked),
    'possible loss': health.lossStreams,
    'dead letters': health.deadLetters,
    'refused events': health.refusedEvents,
    waiting: Math.round(health.waitingSeconds),
  };
  return MERGE_MARKS.map((mark) => [mark, all[mark]] as const).filter(([, count]) => count > 0);
}

interface FindingFacts {
  readonly schemas: readonly string[];
  readonly columnOf: ColumnOf;
  readonly texts: Pool;
}

/** Findings of the same kind about the same table or file, as one. */
function packFindings(
  findings: readonly Finding[],
  { schemas, columnOf, texts }: FindingFacts,
): readonly PageFinding[] {
  const indexOf = new Map(schemas.map((schema, index) => [schema, index]));
  const groups = groupBy(findings, ({ kind, about }) => `${kind}\0${about}`);
  return [...groups.values()].map((group): PageFinding => {
    const { kind, level, about } = group[0]!;
    return {
      ...{ kind, level, about, column: columnOf(about) ?? '' },
      items: group.map(({ schema, text }) => [
        schema === null ? -1 : (indexOf.get(schema) ?? -1),
        texts.indexOf(text),
      ]),
      count: group.reduce((sum, { count }) => sum + count, 0),
    };
  });
}

function packTable(explained: ExplainedTable): PageTable {
  const { set, service, schema, table, source, merge, columns, leftOut } = explained;
  return {
    ...{ set, service, schema, table },
    source: `${source.database}.${source.schema}.${source.table}`,
    facts: tableLines(explained),
    key: merge?.key ?? [],
    columns: columns.map((column) => packColumn(explained, column)),
    leftOut: leftOut.map(({ name, type, why }) => [name, type, why]),
  };
}

/** Steps of the way that the table of columns has in columns of its own. */
const IN_COLUMNS: ReadonlySet<string> = new Set(['source', 'staging', 'final', 'exactness']);

function packColumn(explained: ExplainedTable, column: ExplainedColumn): PageColumn {
  const { name, role, isKey, source, stagingType, exactness, code, reason } = column;
  return {
    ...{ name, role, isKey },
    source: source === null ? '' : withName(source.type, source.column, name),
    staging: stagingType ?? '',
    final: finalType(column),
    exactness: exactness ?? '',
    notes: [
      ...(code === null ? [] : [[code, reason].filter(Boolean).join(': ')]),
      ...columnLines(explained, column)
        .filter(([label]) => !IN_COLUMNS.has(label))
        .map(renderLine),
    ],
  };
}

/** The type at the source, and the name there if it is another one. */
function withName(type: string, there: string, here: string): string {
  return there === here ? type : `${there} ${type}`;
}

function renderLine([label, text]: Line): string {
  return `${label}: ${text}`;
}
