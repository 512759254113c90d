import type { Lsn } from './lsn.ts';

/** What SQL Server says about change data capture in one database. */
export interface CaptureState {
  readonly database: {
    readonly name: string;
    readonly isEnabled: boolean;
    readonly isReadOnly: boolean;
    readonly collation: string;
    /** A schema or a user `cdc`, which enabling makes itself. */
    readonly hasSchema: boolean;
    readonly hasUser: boolean;
  };
  readonly login: { readonly isSysadmin: boolean; readonly isOwner: boolean };
  readonly isExpress: boolean;
  readonly agent: 'running' | 'stopped' | 'unknown' | 'not needed';
  /** `max text repl size`; undefined for no limit. */
  readonly maxLargeObjectBytes?: number;
  readonly tables: readonly CaptureTable[];
}

export interface CaptureTable {
  readonly schema: string;
  readonly name: string;
  readonly isMemoryOptimized: boolean;
  readonly isColumnstore: boolean;
  /** In order of the table. */
  readonly columns: readonly CaptureColumn[];
  readonly primaryKey: readonly string[];
  readonly hasUniqueIndex: boolean;
  readonly instances: readonly CaptureInstance[];
}

export interface CaptureColumn {
  readonly name: string;
  /** Base type. */
  readonly type: string;
  /** Bytes; -1 is max. */
  readonly maxLengthBytes: number;
  readonly collation?: string;
  readonly isComputed: boolean;
}

export interface CaptureInstance {
  readonly name: string;
  /** The first change that it has. */
  readonly startLsn: Lsn;
  readonly columns: readonly string[];
}

/** A table that is to be captured, and which of its columns. */
export interface CaptureRequest {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Columns of the key in each definition of the table; an empty list for one without a key. */
  readonly keys?: readonly (readonly string[])[];
}
