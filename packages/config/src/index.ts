export type * from './config.ts';
export { ConfigError, formatProblem } from './problem.ts';
export type { Problem } from './problem.ts';
