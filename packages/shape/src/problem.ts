import { visible } from '@cdc-migrations/generated-file';

/** Keys that lead to a value of a YAML file. */
export type Keys = readonly (string | number)[];

/** Location of a value: a file relative to the repo, and the keys that lead to the value. */
export interface Location {
  readonly file: string;
  readonly keys: Keys;
}

/** A mistake in a file: its location, what is wrong, what was expected. */
export interface Problem {
  readonly at: Location;
  readonly message: string;
  /** The key or index below `at` that the message is about, if it is not part of the path, such as an unknown key. */
  readonly key?: string | number;
  /** Counted from 1. Set when the problem is reported. */
  readonly line?: number;
}

/**
 * Reports a problem of one file: the keys that lead to it, the message, and the key below them that the message is
 * about.
 */
export type Report = (keys: Keys, message: string, key?: string | number) => void;

/** Builds a report function that appends to `problems`. */
export function reportIn(file: string, problems: Problem[]): Report {
  return (keys, message, key) => {
    problems.push({ at: { file, keys }, message, ...(key === undefined ? {} : { key }) });
  };
}

/** Formats a problem as one line: `services/adopus.yaml:14 adopus.source.tables.dbo.Actor: unknown key "x"; known: …`. */
export function formatProblem({ at, line, message }: Problem): string {
  const location = line === undefined ? at.file : `${at.file}:${line}`;
  return visible(`${[location, at.keys.join('.')].filter(Boolean).join(' ')}: ${message}`);
}
