export { describeChange } from './changes/describe-change.ts';
export { renderAlterTables, renderClauses } from './changes/render-clauses.ts';
export type { ChangeClauses } from './changes/render-clauses.ts';
export { manualChanges, renderManual } from './changes/render-manual.ts';
export type { ManualHints } from './changes/render-manual.ts';
export { renderInfrastructure } from './render-infrastructure.ts';
export { renderSchemas } from './render-schemas.ts';
export { renderTable } from './render-table.ts';
export { renderValidation } from './render-validation.ts';
