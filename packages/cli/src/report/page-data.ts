/**
 * Data of the page, which the page holds as JSON. Small, because thousands of tenants repeat the same few states and
 * messages: rows of states and texts are there once, and all else points to them by index.
 */
export interface PageData {
  readonly env: string;
  /** Time of the report, in ISO 8601. */
  readonly madeAt: string;
  readonly targets: readonly PageTarget[];
  readonly tables: readonly PageTable[];
  readonly since: PageChanges | null;
  /** Texts that items of findings point to. */
  readonly texts: readonly string[];
}

/** A target, of which little is known if it did not answer. */
export interface PageTarget {
  readonly label: string;
  readonly set: string;
  readonly flow: PageFlow;
  /** Why the target could not be asked; null if it answered. */
  readonly error: string | null;
  /** True if every file is applied and nothing needs attention. */
  readonly isFine: boolean;
  /** `all applied`, `64 dead letters`. */
  readonly summary: readonly string[];
  readonly files: readonly PageFile[];
  /** Names of schemas; an empty one for what belongs to the whole database. */
  readonly schemas: readonly string[];
  /** Different rows of states: a letter of `STATE_LETTERS` for each file, `NO_FILE` where the schema does not have it. */
  readonly rows: readonly string[];
  /** For each schema, its row. */
  readonly rowOf: readonly number[];
  readonly waves: readonly { readonly wave: string; readonly counts: readonly number[] }[];
  readonly health: PageHealth;
  /** False without `--drift`. */
  readonly isChecked: boolean;
  readonly findings: readonly PageFinding[];
}

/** What stands before and behind the staging tables. */
export interface PageFlow {
  readonly sourceGroup: string;
  readonly sourceType: 'mssql' | 'postgres';
  readonly databases: number;
  readonly services: readonly string[];
  /** Null where the configuration does not say what writes events. */
  readonly writer: string | null;
}

/** A file of the migration set. */
export interface PageFile {
  /** Relative to the folder of the set. */
  readonly path: string;
  /** Column of the grid that it is part of: the name of its table, or its path. */
  readonly column: string;
}

/** How merges are doing, by table and schema. */
export interface PageHealth {
  /** Names of tables that are merged. */
  readonly tables: readonly string[];
  /** Different rows of lags in seconds, in base 36 with commas between them; nothing where a lag is not known. */
  readonly lags: readonly string[];
  /** For each schema, its row of lags; -1 for none. */
  readonly lagOf: readonly number[];
  /** What is not as it should be: schema, table, index in `MERGE_MARKS`, count; four numbers for each. */
  readonly marks: readonly number[];
  /** For each schema, the end of its last merge in seconds since 1970; 0 for none. */
  readonly lastMerges: readonly number[];
  /** Events of this day (UTC): merged, deleted, stale, dead. */
  readonly today: readonly number[];
  readonly stagingBytes: number;
}

/** What can be wrong with the merges of a table, worst first. */
export const MERGE_MARKS = [
  'failing',
  'blocked',
  'possible loss',
  'dead letters',
  'refused events',
  'waiting',
] as const;

/** One cause, with the schemas that have it. */
export interface PageFinding {
  readonly kind: string;
  readonly level: 'error' | 'warning' | 'note';
  /** Table or file. */
  readonly about: string;
  /** Column of the grid; an empty text if it belongs to none. */
  readonly column: string;
  /** Schema and text; the schema is -1 if the finding is about no schema of the grid. */
  readonly items: readonly (readonly [schema: number, text: number])[];
  /** Number of events or differences. */
  readonly count: number;
}

/** Letters of the states of files. */
export const STATE_LETTERS = {
  applied: 'a',
  pending: 'p',
  outdated: 'o',
  missing: 'm',
  edited: 'e',
  unsafe: 'u',
  failed: 'f',
} as const;

/** A schema that does not have a file. */
export const NO_FILE = '-';

/** A table and where its columns come from. */
export interface PageTable {
  readonly set: string;
  readonly service: string;
  readonly schema: string;
  readonly table: string;
  readonly source: string;
  /** Facts about the merge, the indexes and the configuration, as a label and a text. */
  readonly facts: readonly (readonly [label: string, text: string])[];
  readonly key: readonly string[];
  readonly columns: readonly PageColumn[];
  readonly leftOut: readonly (readonly [name: string, type: string, why: string])[];
}

/** A column, from the source to the final table. */
export interface PageColumn {
  readonly name: string;
  /** `source`, `template`, `transform` or `metadata`. */
  readonly role: string;
  readonly isKey: boolean;
  readonly source: string;
  readonly staging: string;
  readonly final: string;
  readonly exactness: string;
  /** Lines about the event, the merge and the configuration. */
  readonly notes: readonly string[];
}

/** What changed in the definitions since a commit. */
export interface PageChanges {
  readonly commit: string;
  readonly changes: readonly {
    readonly table: string;
    readonly what: string;
    readonly class: string;
    readonly lock: string;
    readonly sql: readonly string[];
  }[];
  readonly warnings: readonly string[];
}
