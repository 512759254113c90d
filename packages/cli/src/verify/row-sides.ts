import { createHash } from 'node:crypto';
import type { RowReader, TextRow } from '@cdc-migrations/introspect';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import type { ComparedColumn } from './compared-columns.ts';

/** Number of rows in a bucket and the digest of all of them. */
export interface BucketDigest {
  readonly rows: number;
  readonly digest: string;
}

/** Texts of a row by column, and the position of its last event if it is in the target. */
export interface FoundRow {
  readonly key: TextRow;
  readonly values: TextRow;
  /** Generation, partition and offset. */
  readonly position?: TextRow;
  /** True if other rows have the same key. */
  readonly isDuplicate?: boolean;
}

/**
 * Rows of a table in one database. Keys are identified by the hash of their texts, which does not depend on collations.
 */
export interface RowSide {
  /** Returns digests by bucket, which is the start of the key's hash. */
  digests(): Promise<ReadonlyMap<string, BucketDigest>>;
  /** Hashes of some rows by the hash of their key; one for several rows with the same key is `DUPLICATE`. */
  hashes(rows: SomeRows): Promise<ReadonlyMap<string, string>>;
  /** Returns rows by the hash of their key. */
  rows(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, FoundRow>>;
  count(): Promise<number>;
}

/** Rows of some buckets, or those with these hashes of their keys. */
export type SomeRows =
  { readonly buckets: ReadonlySet<string> } | { readonly keys: ReadonlySet<string> };

/** Hash of several rows with the same key. */
export const DUPLICATE = 'duplicate';

/** Hexadecimal digits of a bucket, which gives 4096 buckets. */
const BUCKET_DIGITS = 3;
/** Hexadecimal digits that decide if a row is in the sample. */
export const SAMPLE_DIGITS = 6;

/** Columns and rows of a table to compare. */
export interface Compared {
  readonly columns: readonly ComparedColumn[];
  /** Columns of the key, which are also in `columns`. */
  readonly key: readonly ComparedColumn[];
  /** Limit of the hashes of rows in the sample. The default is all rows. */
  readonly sampleBelow?: string;
  /** Prefix of a key's text before hashing, so that each sample differs. */
  readonly salt: string;
}

export type ReadText = (query: string, onRow: (row: TextRow) => void) => Promise<void>;

/** A PostgreSQL table. The server computes the digests. */
export interface PostgresRows extends Compared {
  readonly read: ReadText;
  /** Quoted for SQL. */
  readonly table: string;
  readonly conditions: readonly string[];
  /** Returns SQL of a column's text. */
  readonly textOf: (column: ComparedColumn) => string;
  /** Columns with the position of a row's last event. */
  readonly position?: readonly string[];
}

export function postgresSide(of: PostgresRows): RowSide {
  const key = jsonOf(of.key.map(of.textOf));
  const row = jsonOf(of.columns.map(of.textOf));
  const hash = keyHash(key, of.salt);
  const from = (conditions: readonly string[]) => {
    const all = [
      ...of.conditions,
      ...(of.sampleBelow === undefined
        ? []
        : [`substr(${hash}, 1, ${SAMPLE_DIGITS}) COLLATE "C" < '${of.sampleBelow}'`]),
      ...conditions,
    ];
    return `FROM ${of.table}${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''}`;
  };
  const isIn = (value: string, texts: ReadonlySet<string>) =>
    `${value} = ANY ('{${[...texts].join(',')}}'::text[])`;
  return {
    async digests() {
      const found = new Map<string, BucketDigest>();
      await of.read(
        `SELECT substr(${hash}, 1, ${BUCKET_DIGITS}) AS bucket, count(*)::text AS rows,
  bit_xor(('x' || ${md5(row)})::bit(128))::text AS digest
${from([])} GROUP BY 1`,
        ([bucket, rows, bits]) =>
          found.set(bucket!, {
            rows: Number(rows),
            digest: BigInt(`0b${bits}`).toString(16).padStart(32, '0'),
          }),
      );
      return found;
    },
    async hashes(rows) {
      const found = new Map<string, string>();
      const isOne =
        'keys' in rows
          ? isIn(hash, rows.keys)
          : isIn(`substr(${hash}, 1, ${BUCKET_DIGITS})`, rows.buckets);
      await of.read(
        `SELECT ${hash} AS key, ${md5(row)} AS hash
${from([isOne])}`,
        ([one, value]) => found.set(one!, found.has(one!) ? DUPLICATE : value!),
      );
      return found;
    },
    async rows(keys) {
      const found = new Map<string, FoundRow>();
      const position = (of.position ?? []).map((name) => `, ${quoteIdentifier(name)}::text`);
      await of.read(
        `SELECT ${hash} AS hash, ${key} AS key, ${row} AS row${position.join('')}
${from([isIn(hash, keys)])}`,
        ([one, keyText, rowText, ...at]) =>
          found.set(one!, {
            key: JSON.parse(keyText!) as TextRow,
            values: JSON.parse(rowText!) as TextRow,
            ...(of.position && { position: at }),
            ...(found.has(one!) && { isDuplicate: true }),
          }),
      );
      return found;
    },
    async count() {
      let count = 0;
      await of.read(`SELECT count(*)::text AS rows ${from([])}`, ([rows]) => {
        count = Number(rows);
      });
      return count;
    },
  };
}

/** Returns SQL of a key's hash. It is the same for the same texts in every database. */
export function keyHash(keyJson: string, salt: string): string {
  return md5(salt === '' ? keyJson : `(${quoteLiteral(salt)} || ${keyJson})`);
}

/** Joins texts unambiguously, as JSON.stringify spells them. */
export function jsonOf(texts: readonly string[]): string {
  return `to_json(ARRAY[${texts.join(', ')}]::text[])::text`;
}

function md5(text: string): string {
  return `md5(convert_to(${text}, 'UTF8'))`;
}

/** A SQL Server table. Its rows are transferred, because SQL Server has no digest of UTF-8. */
export interface MssqlRows extends Compared {
  readonly reader: RowReader;
  /** Quoted for T-SQL. */
  readonly table: string;
  readonly conditions: readonly string[];
}

export function mssqlSide(of: MssqlRows): RowSide {
  const where = of.conditions.length > 0 ? ` WHERE ${of.conditions.join(' AND ')}` : '';
  const list = of.columns.map(({ source }, i) => `${source} AS c${i}`).join(', ');
  const keyAt = of.key.map((column) => of.columns.indexOf(column));
  const each = (onRow: (row: HashedRow) => void) =>
    of.reader.read(`SELECT ${list} FROM ${of.table}${where}`, (raw) => {
      const values = raw.map((text, i) => (text === null ? null : of.columns[i]!.spell(text)));
      const key = keyAt.map((at) => values[at]!);
      const hash = hashOf(of.salt + JSON.stringify(key));
      if (of.sampleBelow !== undefined && hash.slice(0, SAMPLE_DIGITS) >= of.sampleBelow) return;
      onRow({ hash, key, values });
    });
  return {
    async digests() {
      const found = new Map<string, { rows: number; digest: bigint }>();
      await each(({ hash, values }) => {
        const bucket = hash.slice(0, BUCKET_DIGITS);
        const known = found.get(bucket) ?? { rows: 0, digest: 0n };
        known.rows++;
        known.digest ^= BigInt(`0x${hashOf(JSON.stringify(values))}`);
        found.set(bucket, known);
      });
      return new Map(
        [...found].map(([bucket, { rows, digest }]) => [
          bucket,
          { rows, digest: digest.toString(16).padStart(32, '0') },
        ]),
      );
    },
    async hashes(rows) {
      const found = new Map<string, string>();
      await each(({ hash, values }) => {
        const isOne =
          'keys' in rows ? rows.keys.has(hash) : rows.buckets.has(hash.slice(0, BUCKET_DIGITS));
        if (!isOne) return;
        found.set(hash, found.has(hash) ? DUPLICATE : hashOf(JSON.stringify(values)));
      });
      return found;
    },
    async rows(keys) {
      const found = new Map<string, FoundRow>();
      await each(({ hash, key, values }) => {
        if (!keys.has(hash)) return;
        found.set(hash, { key, values, ...(found.has(hash) && { isDuplicate: true }) });
      });
      return found;
    },
    async count() {
      let count = 0;
      await of.reader.read(
        `SELECT CONVERT(varchar(20), COUNT(*)) AS n FROM ${of.table}${where}`,
        ([n]) => {
          count = Number(n);
        },
      );
      return count;
    },
  };
}

interface HashedRow extends FoundRow {
  readonly hash: string;
}

/** The hash of a text, as PostgreSQL computes it of the same text. */
export function hashOf(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
