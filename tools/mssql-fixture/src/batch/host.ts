import type { Engine } from '../engine/open-engine.ts';
import type { SqlValue } from '../tds/sql-type.ts';

/** The server as batches see it. */
export interface Host {
  readonly engine: Engine;
  readonly serverName: string;
  /** `15.0.4382.1` */
  readonly productVersion: string;
  /** SERVERPROPERTY by name in lower case. */
  readonly properties: Readonly<Record<string, SqlValue>>;
  readonly clock: () => Date;
}

/** The parts of a version, `[15, 0, 4382, 1]`. */
export function versionParts(version: string): readonly number[] {
  return version.split('.').map(Number);
}

/** What @@VERSION says. */
export function versionText(version: string): string {
  const years: Readonly<Record<string, string>> = {
    13: '2016',
    14: '2017',
    15: '2019',
    16: '2022',
  };
  const year = years[version.split('.')[0] ?? ''] ?? '2019';
  return `Microsoft SQL Server ${year} (fixture) - ${version} (X64) \n\tDeveloper Edition (64-bit) on Linux`;
}
