/** Schema of the bookkeeping, in every target database. */
export const MANAGEMENT_SCHEMA = 'cdc_management';
