/**
 * Severity of a finding. `refused`: SQL Server would refuse to enable capture. `risk`: enabling would succeed but may
 * cause harm, so the risk must be accepted. `note`: for information.
 */
export type FindingLevel = 'refused' | 'risk' | 'note';

const LEVELS = {
  'express-edition': 'refused',
  'database-read-only': 'refused',
  'no-sysadmin': 'refused',
  'no-owner': 'refused',
  'cdc-name-taken': 'refused',
  'agent-stopped': 'risk',
  'agent-unknown': 'note',
  'no-table': 'refused',
  'no-column': 'refused',
  'memory-optimized': 'refused',
  columnstore: 'refused',
  'two-instances': 'refused',
  'other-columns': 'refused',
  'no-key': 'note',
  'computed-column': 'risk',
  'type-not-carried': 'note',
  collation: 'risk',
  'large-object': 'risk',
  standby: 'refused',
  'wal-level': 'refused',
  'no-create': 'refused',
  'publication-owner': 'refused',
  'no-table-owner': 'refused',
  'unlogged-table': 'refused',
  'row-filter': 'refused',
  'column-list': 'refused',
  'slot-taken': 'refused',
  'slot-lost': 'risk',
  'no-replication': 'risk',
  'no-free-slot': 'risk',
  'no-free-sender': 'risk',
  'no-select': 'risk',
  'row-security': 'risk',
  'extra-table': 'risk',
  'slot-inactive': 'note',
  'wal-unlimited': 'note',
  'all-tables': 'note',
  'autocreate-mode': 'note',
  'partition-identity': 'note',
} as const satisfies Readonly<Record<string, FindingLevel>>;

/** Identifier of a finding. */
export type FindingCode = keyof typeof LEVELS;

/** Codes of the risks that can be accepted. */
export const RISKS: readonly FindingCode[] = (Object.keys(LEVELS) as FindingCode[]).filter(
  (code) => LEVELS[code] === 'risk',
);

/** A finding. Its message is one line that says what was found and what to do. */
export interface Finding {
  readonly code: FindingCode;
  readonly level: FindingLevel;
  /** `dbo.Actor`. Undefined for a finding about the database. */
  readonly table?: string;
  readonly message: string;
}

/** Builds a finding about the database. */
export function ofDatabase(code: FindingCode, message: string): Finding {
  return { code, level: LEVELS[code], message };
}

/** Builds a finding about a table. */
export function ofTable(code: FindingCode, table: string, message: string): Finding {
  return { code, level: LEVELS[code], table, message };
}

/** Checks if a finding prevents its table or database from being enabled. */
export function blocks({ code, level }: Finding, accepted: readonly FindingCode[]): boolean {
  return level === 'refused' || (level === 'risk' && !accepted.includes(code));
}
