import type { Engine } from '../engine/open-engine.ts';
import type { SqlValue } from '../tds/sql-type.ts';

/** The server from the view of batches. */
export interface Host {
  readonly engine: Engine;
  readonly serverName: string;
  /** `15.0.4382.1` */
  readonly productVersion: string;
  /** Values of SERVERPROPERTY by name in lower case. */
  readonly properties: Readonly<Record<string, SqlValue>>;
  readonly clock: () => Date;
}

/** Splits a version into its parts, `[15, 0, 4382, 1]`. */
export function versionParts(version: string): readonly number[] {
  return version.split('.').map(Number);
}
