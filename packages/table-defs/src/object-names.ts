import { shortName } from '@cdc-migrations/sql-text';
import type { ObjectNames } from './table-definition.ts';

/** Schema for bookkeeping in every target database. */
export const MANAGEMENT_SCHEMA = 'cdc_management';

/** Builds the names of the objects that belong to a final table. */
export function buildObjectNames(table: string): ObjectNames {
  return {
    staging: shortName(`stg_${table}`),
    trigger: 'trg_mark_for_merge',
    mergeProcedure: shortName(`sp_merge_${table.toLowerCase()}`),
    mergeWindow: shortName(`fn_merge_window_${table.toLowerCase()}`),
    primaryKey: shortName(`pk_${table}`),
    syncIndex: shortName(`idx_${table}_sync_timestamp`),
    positionIndex: shortName(`uq_${table}_stream_position`),
  };
}
