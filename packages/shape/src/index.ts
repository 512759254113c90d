export { findConflict } from './find-conflict.ts';
export type { Conflict } from './find-conflict.ts';
export { didYouMean, knownNames, nearest } from './nearest.ts';
export { FileError, FORMAT, parseGenerated, renderGenerated } from './parse-generated.ts';
export type { FileErrorFacts, GeneratedKind } from './parse-generated.ts';
export { parseHandWritten } from './parse-hand-written.ts';
export type { ParsedYaml } from './parse-hand-written.ts';
export { isMapping, keyOf, leftAlone, parseShape } from './parse-shape.ts';
export type { Draft, EntriesOf, Mapping, Scalar, Shape } from './parse-shape.ts';
export { formatProblem, reportIn } from './problem.ts';
export type { Keys, Location, Problem, Report } from './problem.ts';
export {
  flag,
  foundValue,
  foundWord,
  integer,
  listOf,
  oneOf,
  sqlExpression,
  text,
} from './scalars.ts';
export { locateProblems } from './yaml-positions.ts';
export { lengthProblem } from './size-problem.ts';
