import { didYouMean, knownNames, type Draft, type Keys, type Report } from '@cdc-migrations/shape';
import { refuseTwice } from './refuse-duplicates.ts';
import { COLUMN_TEMPLATES_FILE } from '../config-files.ts';
import { schemaNameProblem } from '../schema-name.ts';
import type { ServiceShape, SinkTableShape } from '../schemas/service.ts';
import { splitTableName } from '../schemas/table-name.ts';

/** A sink table and the names that it may use. Names are undefined if their file could not be read. */
interface SinkTableUse {
  readonly service: string;
  /** Key of the table, `<schema>.<table>`. */
  readonly table: string;
  readonly sinkTable: Draft<SinkTableShape> | undefined;
  readonly sourceTables: NonNullable<Draft<ServiceShape>['source']>['tables'];
  readonly templates: readonly string[] | undefined;
}

/** Reports problems of a sink table: its schema, its source, and keys that exclude each other. */
export function checkSinkTable(use: SinkTableUse, keys: Keys, report: Report): void {
  const { service, table, sinkTable } = use;
  const { schema } = splitTableName(table);
  // A schema with the name of the service stands for its tenants. Their names have their own check.
  const problem = table.includes('.') && schema !== service ? schemaNameProblem(schema) : undefined;
  if (problem !== undefined) report(keys, problem);
  if (!sinkTable) return;
  checkFrom(use, sinkTable.from, [...keys, 'from'], report);
  checkStructure(sinkTable, keys, report);
  sinkTable.indexes?.forEach((index, at) => {
    if (index?.columns?.length === 0)
      report(
        [...keys, 'indexes', at, 'columns'],
        'expected at least one column name, found an empty list',
      );
  });
  checkPartitions(sinkTable, [...keys, 'partition_by'], report);
  checkBackfill(sinkTable, keys, report);
  checkRenames(sinkTable, keys, report);
  checkTemplates(use, sinkTable, keys, report);
}

function checkFrom(
  { sourceTables }: SinkTableUse,
  from: string | undefined,
  keys: Keys,
  report: Report,
): void {
  if (from === undefined || !sourceTables || from in sourceTables) return;
  const hint = didYouMean(from, Object.keys(sourceTables)) || '; add it there';
  report(keys, `"${from}" is not in source.tables${hint}`);
}

function checkStructure(table: Draft<SinkTableShape>, keys: Keys, report: Report): void {
  const { target_exists: targetExists, replicate_structure: replicate } = table;
  if (targetExists === false && replicate === false) {
    const message =
      'expected true for a table that is created, found false; write true, or target_exists: true';
    report([...keys, 'replicate_structure'], message);
  }
  if (targetExists === true && replicate === true) {
    const message =
      'expected false for a table that exists, found true; write false, or target_exists: false';
    report([...keys, 'replicate_structure'], message);
  }
  if (targetExists === true && (table.indexes?.length ?? 0) > 0) {
    const message =
      'expected no indexes for a table that exists, found some; create them where the table is created';
    report([...keys, 'indexes'], message);
  }
}

/**
 * Reports duplicates in `backfill_from_default`. Reports the key for an existing table, because its rows are not
 * changed.
 */
function checkBackfill(
  { target_exists: targetExists, backfill_from_default: columns = [] }: Draft<SinkTableShape>,
  keys: Keys,
  report: Report,
): void {
  const at = [...keys, 'backfill_from_default'];
  if (targetExists === true && columns.length > 0) {
    const message =
      'expected no backfill_from_default for a table that exists, found some; fill its rows where it is created';
    report(at, message);
  }
  refuseTwice(columns, at, report);
}

/** Methods for partitioning a table. */
export const PARTITION_METHODS = ['range', 'list', 'hash'] as const;

/** Reports partitions without exactly one method, and bounds of another method. */
function checkPartitions(
  { target_exists: targetExists, partition_by: partitioning }: Draft<SinkTableShape>,
  keys: Keys,
  report: Report,
): void {
  if (!partitioning) return;
  if (targetExists === true) {
    const message =
      'expected no partition_by for a table that exists, found some; partition it where it is created';
    report(keys, message);
  }
  const [method, ...others] = PARTITION_METHODS.filter((one) => one in partitioning);
  if (method === undefined || others.length > 0) {
    const found = method === undefined ? 'none' : [method, ...others].join(' and ');
    report(keys, `expected one of range, list and hash, each a list of columns; found ${found}`);
    return;
  }
  if (partitioning[method]?.length === 0)
    report([...keys, method], 'expected at least one column name, found an empty list');
  if (method === 'hash') {
    if ('partitions' in partitioning)
      report([...keys, 'partitions'], 'expected count: <number> with hash, found partitions');
    return;
  }
  if ('count' in partitioning)
    report(
      [...keys, 'count'],
      `expected partitions with ${method}, found count, which is for hash`,
    );
  if (method === 'list' && (partitioning.list?.length ?? 0) > 1)
    report([...keys, 'list'], `expected one column, found ${partitioning.list!.length}`);
  checkBounds(
    { method, count: partitioning[method]?.length },
    partitioning.partitions,
    keys,
    report,
  );
}

function checkBounds(
  { method, count }: { readonly method: 'range' | 'list'; readonly count: number | undefined },
  partitions: NonNullable<Draft<SinkTableShape>['partition_by']>['partitions'],
  keys: Keys,
  report: Report,
): void {
  const names = new Set<string>();
  const known = method === 'range' ? (['from', 'to'] as const) : (['in'] as const);
  let hasDefault = false;
  partitions?.forEach((partition, index) => {
    if (!partition) return;
    const at = [...keys, 'partitions', index];
    for (const key of ['from', 'to', 'in'] as const) {
      if (!(key in partition)) continue;
      const length = partition[key]?.length ?? 0;
      if (!known.some((one) => one === key)) {
        report(at, `expected ${known.join(' and ')} with ${method}, found ${key}`);
      } else if (method === 'range' && count !== undefined && length !== count) {
        report(
          [...at, key],
          `expected ${count} values, one for each column of range; found ${length}`,
        );
      } else if (length === 0) {
        report([...at, key], 'expected at least one value, found an empty list');
      }
    }
    const isDefault = !['from', 'to', 'in'].some((key) => key in partition);
    if (isDefault && hasDefault) {
      const message = `expected one partition without ${known.join(' and ')}, which takes all other rows; found another`;
      report(at, message);
    }
    hasDefault ||= isDefault;
    const name = partition.name?.toLowerCase();
    if (name !== undefined && names.has(name)) {
      report(at, `expected another name, found "${partition.name}" twice`);
    }
    if (name !== undefined) names.add(name);
  });
}

function checkTemplates(
  { templates }: SinkTableUse,
  { column_templates: uses = [] }: Draft<SinkTableShape>,
  keys: Keys,
  report: Report,
): void {
  uses.forEach((use, index) => {
    const name = typeof use === 'string' ? use : use?.template;
    if (name === undefined || !templates || templates.includes(name)) return;
    const message = `unknown template "${name}" of ${COLUMN_TEMPLATES_FILE}; ${knownNames(name, templates)}`;
    report([...keys, 'column_templates', index], message);
  });
}

type Renames = Pick<Draft<SinkTableShape>, 'renames' | 'manual_migration_hints'>;

/** Returns old and new column names of a table: `renames` first, then `manual_migration_hints`. */
export function allRenames({
  renames,
  manual_migration_hints: hints,
}: Renames): readonly (readonly [string, string])[] {
  return [
    ...Object.entries(renames ?? {}),
    ...(hints?.renames ?? []).map((rename) => [rename?.from, rename?.to] as const),
  ].flatMap(([from, to]) => (from === undefined || to === undefined ? [] : [[from, to] as const]));
}

/** Reports ambiguous renames: to the same name, in a cycle, or from or to two columns. */
function checkRenames(table: Draft<SinkTableShape>, keys: Keys, report: Report): void {
  const at = [...keys, table.renames ? 'renames' : 'manual_migration_hints'];
  const renames = allRenames(table);
  if (table.target_exists === true && renames.length > 0) {
    report(
      at,
      'expected no renames for a table that exists, found some; remove them, or write target_exists: false',
    );
    return;
  }
  const next = new Map<string, string>();
  const before = new Map<string, string>();
  for (const [from, to] of renames) {
    const other = next.get(from) ?? to;
    const duplicate = before.get(to) ?? from;
    next.set(from, to);
    before.set(to, from);
    if (from === to) report(at, `expected a new name for "${from}", found the same`);
    if (other !== to) report(at, `"${from}" would become both "${other}" and "${to}"; remove one`);
    if (duplicate !== from) {
      const message =
        `"${duplicate}" and "${from}" would both become "${to}"; ` +
        `for a column that was renamed twice, write { ${duplicate}: ${from}, ${from}: ${to} }`;
      report(at, message);
    }
  }
  reportCircle(next, at, report);
}

function reportCircle(next: ReadonlyMap<string, string>, at: Keys, report: Report): void {
  for (const start of next.keys()) {
    const circle = [start];
    for (let name = next.get(start); name !== undefined; name = next.get(name)) {
      if (circle.includes(name)) {
        if (name !== start || circle.length === 1) break;
        report(at, `${circle.map((one) => `"${one}"`).join(', ')} form a rename cycle`);
        return;
      }
      circle.push(name);
    }
  }
}
