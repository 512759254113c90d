import type { Lsn } from './lsn.ts';

/** State of change data capture in a SQL Server database. */
export interface CaptureState {
  readonly database: {
    readonly name: string;
    readonly isEnabled: boolean;
    readonly isReadOnly: boolean;
    readonly collation: string;
    /** True if a schema or a user `cdc` exists. Enabling CDC creates both. */
    readonly hasSchema: boolean;
    readonly hasUser: boolean;
  };
  readonly login: { readonly isSysadmin: boolean; readonly isOwner: boolean };
  readonly isExpress: boolean;
  readonly agent: 'running' | 'stopped' | 'unknown' | 'not needed';
  /** Setting `max text repl size` in bytes, undefined if it is unlimited. */
  readonly maxLargeObjectBytes?: number;
  readonly tables: readonly CaptureTable[];
}

export interface CaptureTable {
  readonly schema: string;
  readonly name: string;
  readonly isMemoryOptimized: boolean;
  readonly isColumnstore: boolean;
  /** In the order of the table. */
  readonly columns: readonly CaptureColumn[];
  readonly primaryKey: readonly string[];
  readonly hasUniqueIndex: boolean;
  readonly instances: readonly CaptureInstance[];
}

export interface CaptureColumn {
  readonly name: string;
  readonly type: string;
  /** Length in bytes, -1 for max. */
  readonly maxLengthBytes: number;
  readonly collation?: string;
  readonly isComputed: boolean;
}

export interface CaptureInstance {
  readonly name: string;
  /** LSN of the first change in the instance. */
  readonly startLsn: Lsn;
  readonly columns: readonly string[];
}

/** A table to capture, with the columns to capture. */
export interface CaptureRequest {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** Key columns of each definition of the table. The list is empty for a definition without a key. */
  readonly keys?: readonly (readonly string[])[];
}
