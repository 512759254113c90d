export { renderStaging } from './render-staging.ts';
export type { StagingOptions } from './render-staging.ts';
export { formSql } from './event-form.ts';
export type { FormSql } from './event-form.ts';
export { storedValue, unavailableLiteral } from './staged-value.ts';
