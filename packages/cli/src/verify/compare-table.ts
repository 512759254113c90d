import { setTimeout as sleep } from 'node:timers/promises';
import type { ComparedColumn } from './compared-columns.ts';
import { DUPLICATE, hashOf, type FoundRow, type RowSide } from './row-sides.ts';

/** A row that differs between source and target. */
export interface RowDifference {
  /**
   * `duplicate`: the source or the target has several rows with the key; `staged`: its events are there, and not merged;
   * `changing`: it changed at the source while it was looked at.
   */
  readonly kind: 'missing' | 'extra' | 'different' | 'duplicate' | 'staged' | 'changing';
  /** Texts of the key by column. */
  readonly key: Readonly<Record<string, string | null>>;
  /** Columns that differ. */
  readonly columns: readonly string[];
  /** Position of the event of the target's row. */
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
  /** Rows that differed at first and were equal later. */
  readonly arrived: number;
  /** There are more differences than were to be listed, or than were looked at again. */
  readonly isCut: boolean;
}

export interface ComparisonOptions {
  readonly key: readonly ComparedColumn[];
  readonly columns: readonly ComparedColumn[];
  readonly limit: number;
  readonly waitMs: number;
  /** Returns the hashes of keys with staged events. */
  readonly stagedOf: (keys: ReadonlySet<string>) => Promise<ReadonlySet<string>>;
  readonly signal: AbortSignal;
}

/** Rows whose hashes are held at once; a bucket has more where a table has more than 80 million. */
const ROWS_AT_ONCE = 20_000;
/** Rows that are looked at again: as many as can be on their way. */
const LOOKED_AT = 100_000;
/** Number of repeated comparisons of different rows. */
const LOOKS = 5;

/**
 * Compares a table with a key. It compares digests of buckets, then the rows of different buckets, and repeats the
 * different rows after a pause.
 */
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
    limit: Math.max(LOOKED_AT, options.limit),
  });
  const { differences, arrived, isCut } = await lookAgain(source, target, found.keys, options);
  const sum = (side: typeof ours) => [...side.values()].reduce((n, { rows }) => n + rows, 0);
  return {
    rows: { source: sum(theirs), target: sum(ours) },
    differences,
    arrived,
    isCut: found.isCut || isCut,
  };
}

/** Groups buckets whose rows together are below the limit. */
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
  /** Hashes of keys. */
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
    const [theirs, ours] = await Promise.all([
      source.hashes({ buckets: part }),
      target.hashes({ buckets: part }),
    ]);
    for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
      if (areSame(theirs.get(key), ours.get(key))) continue;
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
  { key, columns, limit, waitMs, stagedOf, signal }: ComparisonOptions,
): Promise<Pick<TableComparison, 'differences' | 'arrived' | 'isCut'>> {
  let left = found;
  let before: Hashes | undefined;
  for (let look = 0; left.size > 0; look++) {
    const isLast = look === LOOKS || waitMs === 0;
    let now: Hashes | undefined;
    // Rows are large, and no more of them are read than are listed.
    if (left.size > limit) {
      const [theirs, ours] = await Promise.all([
        source.hashes({ keys: left }),
        target.hashes({ keys: left }),
      ]);
      left = keep(left, (one) => !areSame(theirs.get(one), ours.get(one)));
      now = theirs;
    }
    if (left.size <= limit || isLast) {
      const listed = new Set([...left].slice(0, limit));
      const [theirs, ours] = await Promise.all([source.rows(listed), target.rows(listed)]);
      const isEqual = (one: string) =>
        !isDuplicate(theirs.get(one), ours.get(one)) &&
        differing(theirs.get(one), ours.get(one), columns)?.length === 0;
      left = keep(left, (one) => !listed.has(one) || !isEqual(one));
      const shown = keep(listed, (one) => left.has(one));
      if (isLast && left.size > 0) {
        const staged = await stagedOf(shown);
        const differences = [...shown].map((one) => {
          const [their, our] = [theirs.get(one), ours.get(one)];
          const isMoving = before !== undefined && before.get(one) !== hashRow(their);
          const passing = staged.has(one) ? 'staged' : isMoving ? 'changing' : undefined;
          const kind = isDuplicate(their, our) ? 'duplicate' : (passing ?? kindOf(their, our));
          return describe(kind, { key, columns, their, our });
        });
        const isCut = left.size > shown.size;
        return { differences, arrived: found.size - left.size, isCut };
      }
      now ??= new Map([...theirs].map(([one, row]) => [one, hashRow(row)!]));
    }
    if (left.size === 0) break;
    before = now;
    await sleep(waitMs / LOOKS, undefined, { signal });
  }
  return { differences: [], arrived: found.size, isCut: false };
}

/** Hashes of rows by the hash of their key. */
type Hashes = ReadonlyMap<string, string>;

function keep(keys: ReadonlySet<string>, isKept: (key: string) => boolean): ReadonlySet<string> {
  return new Set([...keys].filter(isKept));
}

function areSame(one: string | undefined, other: string | undefined): boolean {
  return one === other && one !== DUPLICATE;
}

function isDuplicate(their: FoundRow | undefined, our: FoundRow | undefined): boolean {
  return their?.isDuplicate === true || our?.isDuplicate === true;
}

function hashRow(row: FoundRow | undefined): string | undefined {
  return row && hashOf(JSON.stringify(row.values));
}

function kindOf(their: FoundRow | undefined, our: FoundRow | undefined): RowDifference['kind'] {
  if (!our) return 'missing';
  return their ? 'different' : 'extra';
}

/** Returns the columns that differ, or undefined if one of the rows is missing. */
function differing(
  their: FoundRow | undefined,
  our: FoundRow | undefined,
  columns: readonly ComparedColumn[],
): readonly string[] | undefined {
  if (!their || !our) return their || our ? undefined : [];
  return columns.filter((_, i) => their.values[i] !== our.values[i]).map(({ name }) => name);
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
