export { renderInfrastructure } from './render-infrastructure.ts';
export { MANAGEMENT_SCHEMA, renderSchemas } from './render-schemas.ts';
export { renderTable } from './render-table.ts';
export { renderValidation } from './render-validation.ts';
