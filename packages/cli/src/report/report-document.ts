import type { TableChange } from '@cdc-migrations/table-defs';
import type { Difference, TableHealth } from '@cdc-migrations/tracker';
import type { ExplainedTable } from '../explain/explain-table.ts';
import type { StatusDocument } from '../status/status.ts';
import type { PageFlow } from './page-data.ts';

/** All that a report says, as `report --json` prints it. */
export interface ReportDocument {
  readonly exitCode: number;
  readonly env: string;
  /** In ISO 8601. */
  readonly madeAt: string;
  readonly targets: readonly ReportedTarget[];
  /** Tables of the configuration, as `explain --json` has them. */
  readonly tables: readonly ExplainedTable[];
  /** Left out without `--since`. */
  readonly since?: ReportedChanges;
}

interface TargetFacts {
  readonly target: string;
  readonly set: string;
  readonly flow: PageFlow;
}

/** A target that did not answer. */
export interface FailedTarget extends TargetFacts {
  readonly error: string;
}

/** A target that answered: what `status --json` prints, how its merges are doing, and how it differs. */
export interface AnsweredTarget extends TargetFacts, StatusDocument {
  readonly error?: undefined;
  /** First line of `status`, without the name of the target. */
  readonly summary: string;
  readonly files: readonly ReportedFile[];
  readonly merges: readonly TableHealth[];
  /** What `check --json` finds; left out without `--drift`. */
  readonly differences?: readonly ReportedDifference[];
}

export type ReportedTarget = FailedTarget | AnsweredTarget;

/** A file of the manifest. */
export interface ReportedFile {
  readonly path: string;
  /** Its table; null for a file that belongs to none. */
  readonly table: string | null;
}

export type ReportedDifference = Omit<Difference, 'repair'> & {
  /** A command, or SQL. */
  readonly repair?: string;
};

export interface ReportedChanges {
  readonly commit: string;
  readonly changes: readonly ReportedChange[];
  readonly warnings: readonly string[];
}

export interface ReportedChange extends Pick<TableChange, 'kind' | 'class'> {
  /** `<schema>.<Table>`, the service in place of the tenant's schema. */
  readonly table: string;
  readonly what: string;
  readonly lock: string;
  readonly sql: readonly string[];
}
