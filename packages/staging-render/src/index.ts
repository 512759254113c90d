export { renderStaging } from './render-staging.ts';
export type { StagingOptions } from './render-staging.ts';
export { unavailableLiteral } from './staged-value.ts';
