/** Schema for bookkeeping in every target database. */
export const MANAGEMENT_SCHEMA = 'cdc_management';
