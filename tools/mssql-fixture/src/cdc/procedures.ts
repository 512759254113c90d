import { CLEANUP_CHANGE_TABLE } from './cleanup-change-table.ts';
import { DISABLE_TABLE } from './disable-table.ts';
import { DISABLE_DATABASE, ENABLE_DATABASE } from './enable-database.ts';
import { ENABLE_TABLE } from './enable-table.ts';
import { HELP_CHANGE_DATA_CAPTURE } from './help-change-data-capture.ts';
import { CHANGE_JOB, HELP_JOBS } from './jobs.ts';
import type { Procedure } from './procedure.ts';

const ALL: readonly Procedure[] = [
  ENABLE_DATABASE,
  DISABLE_DATABASE,
  ENABLE_TABLE,
  DISABLE_TABLE,
  CLEANUP_CHANGE_TABLE,
  HELP_CHANGE_DATA_CAPTURE,
  CHANGE_JOB,
  HELP_JOBS,
];

/** The system procedures that there are, by name. */
export const PROCEDURES: ReadonlyMap<string, Procedure> = new Map(
  ALL.map((procedure) => [procedure.name, procedure]),
);
