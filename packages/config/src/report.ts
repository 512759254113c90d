import type { Problem } from './problem.ts';

/** Keys that lead to a value of a YAML file. */
export type Keys = readonly (string | number)[];

/** Takes down a problem of one file: where it stands, what is wrong, and the key below it that it is about. */
export type Report = (keys: Keys, message: string, key?: string | number) => void;

/** A report that adds to `problems`. */
export function reportIn(file: string, problems: Problem[]): Report {
  return (keys, message, key) => {
    problems.push({ at: { file, keys }, message, ...(key === undefined ? {} : { key }) });
  };
}
