import type { Location, Problem } from '@cdc-migrations/config';

/** Collects problems while definitions are built, so that all of them are reported at once. */
export interface ProblemList {
  readonly errors: DefinitionProblem[];
  /** Problems that do not stop the generation. */
  readonly warnings: Problem[];
}

/** A contradiction between the configuration and the source. */
export interface DefinitionProblem extends Problem {
  /** Set if the configuration names an object that the source does not have. */
  readonly isGone?: boolean;
}

/** Builds a problem at a location below `at`. */
export function problemAt(
  at: Location,
  below: readonly (string | number)[],
  message: string,
): Problem {
  return { at: { file: at.file, keys: [...at.keys, ...below] }, message };
}

/** Builds a problem for a name that the source does not have. */
export function goneAt(...mapping: Parameters<typeof problemAt>): DefinitionProblem {
  return { ...problemAt(...mapping), isGone: true };
}

/** Returns `; did you mean "Navn"?` if a name differs only in case, else a list of the known names. */
export function suggestion(name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = names.find((other) => other.toLowerCase() === name.toLowerCase());
  return near === undefined ? `; the columns are: ${first(names)}` : `; did you mean "${near}"?`;
}

/** Removes duplicates, because a source table of two sinks is checked twice. */
export function withoutRepeats<Found extends Problem>(
  problems: readonly Found[],
): readonly Found[] {
  const idOf = ({ at, message }: Found) => JSON.stringify([at.file, at.keys, message]);
  return [...new Map(problems.map((problem) => [idOf(problem), problem])).values()];
}

/** Maximum number of names in a message. A table can have thousands of columns. */
const MAX_LISTED = 20;

function first(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  const listed = names.slice(0, MAX_LISTED).join(', ');
  return more > 0 ? `${listed} and ${more} more` : listed;
}
