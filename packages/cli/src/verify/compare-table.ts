import { setTimeout as sleep } from 'node:timers/promises';
import type { TextRow } from '@cdc-migrations/introspect';
import type { ComparedColumn } from './compared-columns.ts';
import type { FoundRow, RowSide } from './row-sides.ts';

/** A row that is not the same in source and target. */
export interface RowDifference {
  /** `staged`: its events are there, and not merged; `changing`: it changed at the source while it was looked at. */
  readonly kind: 'missing' | 'extra' | 'different' | 'duplicate' | 'staged' | 'changing';
  /** Texts of the key, by column. */
  readonly key: Readonly<Record<string, string | null>>;
  /** Columns that differ. */
  readonly columns: readonly string[];
  /** Where the event is that the row of the target has. */
  readonly position?: Position;
}

interface Position {
  readonly generation: string | null;
  readonly partition: string | null;
  readonly offset: string | null;
}

export interface TableComparison {
  readonly rows: { readonly source: number; readonly target: number };
  readonly differences: readonly RowDifference[];
  /** Rows that differed at first, and were equal when they were looked at again. */
  readonly arrived: number;
  /** There are more differences than were to be listed. */
  readonly isCut: boolean;
}

export interface ComparisonOptions {
  readonly key: readonly ComparedColumn[];
  readonly columns: readonly ComparedColumn[];
  readonly limit: number;
  readonly waitMs: number;
  /** Of these hashes, those of keys with staged events. */
  readonly stagedOf: (keys: ReadonlySet<string>) => Promise<ReadonlySet<string>>;
  readonly signal: AbortSignal;
}

/** Rows that are held at once; a bucket has more where a table has more than 80 million. */
const ROWS_AT_ONCE = 20_000;
/** Looks at rows that differ, after the first one. */
const LOOKS = 5;

/** Compares a table with a key: digests of buckets, then rows of those that differ, and these again after a pause. */
export async function compareTable(
  source: RowSide,
  target: RowSide,
  options: ComparisonOptions,
): Promise<TableComparison> {
  const [theirs, ours] = await Promise.all([source.digests(), target.digests()]);
  const buckets = [...new Set([...theirs.keys(), ...ours.keys()])].filter(
    (bucket) =>
      theirs.get(bucket)?.digest !== ours.get(bucket)?.digest ||
      theirs.get(bucket)!.rows !== ours.get(bucket)!.rows,
  );
  const rowsOf = (bucket: string) =>
    (theirs.get(bucket)?.rows ?? 0) + (ours.get(bucket)?.rows ?? 0);
  const found = await findKeys(source, target, {
    parts: partition(buckets, rowsOf),
    limit: options.limit,
  });
  const { differences, arrived } = await lookAgain(source, target, found.keys, options);
  const sum = (side: typeof ours) => [...side.values()].reduce((n, { rows }) => n + rows, 0);
  return {
    rows: { source: sum(theirs), target: sum(ours) },
    differences,
    arrived,
    isCut: found.isCut,
  };
}

/** Buckets together as long as their rows can be held at once. */
function partition(
  buckets: readonly string[],
  rowsOf: (bucket: string) => number,
): readonly ReadonlySet<string>[] {
  const parts: Set<string>[] = [];
  let room = 0;
  for (const bucket of buckets) {
    if (room < rowsOf(bucket) || parts.length === 0) {
      parts.push(new Set());
      room = ROWS_AT_ONCE;
    }
    parts.at(-1)!.add(bucket);
    room -= rowsOf(bucket);
  }
  return parts;
}

interface Keys {
  /** Hashes. */
  readonly keys: ReadonlySet<string>;
  readonly isCut: boolean;
}

async function findKeys(
  source: RowSide,
  target: RowSide,
  { parts, limit }: { readonly parts: readonly ReadonlySet<string>[]; readonly limit: number },
): Promise<Keys> {
  const keys = new Set<string>();
  for (const part of parts) {
    const [theirs, ours] = await Promise.all([source.hashes(part), target.hashes(part)]);
    for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
      if (theirs.get(key) === ours.get(key)) continue;
      if (keys.size === limit) return { keys, isCut: true };
      keys.add(key);
    }
  }
  return { keys, isCut: false };
}

async function lookAgain(
  source: RowSide,
  target: RowSide,
  found: Keys['keys'],
  { key, columns, waitMs, stagedOf, signal }: ComparisonOptions,
): Promise<Pick<TableComparison, 'differences' | 'arrived'>> {
  let left = found;
  let before: ReadonlyMap<string, FoundRow> | undefined;
  for (let look = 0; left.size > 0; look++) {
    const [theirs, ours] = await Promise.all([source.rows(left), target.rows(left)]);
    const isEqual = (one: string) =>
      !theirs.get(one)?.isDuplicate &&
      differing(theirs.get(one), ours.get(one), columns)?.length === 0;
    left = new Set([...left].filter((one) => !isEqual(one)));
    if (left.size === 0) break;
    if (look === LOOKS || waitMs === 0) {
      const staged = await stagedOf(left);
      const differences = [...left].map((one) => {
        const [their, our] = [theirs.get(one), ours.get(one)];
        const isMoving =
          before !== undefined &&
          !their?.isDuplicate &&
          !isSame(before.get(one)?.values, their?.values);
        const kind = staged.has(one) ? 'staged' : isMoving ? 'changing' : kindOf(their, our);
        return describe(kind, { key, columns, their, our });
      });
      return { differences, arrived: found.size - left.size };
    }
    before = theirs;
    await sleep(waitMs / LOOKS, undefined, { signal });
  }
  return { differences: [], arrived: found.size };
}

function kindOf(their: FoundRow | undefined, our: FoundRow | undefined): RowDifference['kind'] {
  if (their?.isDuplicate) return 'duplicate';
  if (!our) return 'missing';
  return their ? 'different' : 'extra';
}

/** Columns that differ; undefined where one of the rows is not there. */
function differing(
  their: FoundRow | undefined,
  our: FoundRow | undefined,
  columns: readonly ComparedColumn[],
): readonly string[] | undefined {
  if (!their || !our) return their || our ? undefined : [];
  return columns.filter((_, i) => their.values[i] !== our.values[i]).map(({ name }) => name);
}

function isSame(one: TextRow | undefined, other: TextRow | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function describe(
  kind: RowDifference['kind'],
  {
    key,
    columns,
    their,
    our,
  }: {
    readonly key: readonly ComparedColumn[];
    readonly columns: readonly ComparedColumn[];
    readonly their: FoundRow | undefined;
    readonly our: FoundRow | undefined;
  },
): RowDifference {
  const texts = (our ?? their)!.key;
  const [generation, partition, offset] = our?.position ?? [];
  return {
    kind,
    key: Object.fromEntries(key.map(({ name }, i) => [name, texts[i]!])),
    columns: differing(their, our, columns) ?? [],
    ...(our?.position && {
      position: {
        generation: generation ?? null,
        partition: partition ?? null,
        offset: offset ?? null,
      },
    }),
  };
}
