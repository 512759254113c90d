export { buildNames, buildTable } from './build-table.ts';
export type { TableFacts } from './build-table.ts';
