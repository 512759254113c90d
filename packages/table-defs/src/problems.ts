import type { Location, Problem } from '@cdc-migrations/config';

/** Collects problems while definitions are built, so that all of them are reported at once. */
export interface ProblemList {
  readonly errors: DefinitionProblem[];
  /** Worth knowing, and no reason to stop. */
  readonly warnings: Problem[];
}

/** A problem of the configuration and the source together. */
export interface DefinitionProblem extends Problem {
  /** The configuration names what the source has not, or has no longer. */
  readonly isGone?: boolean;
}

/** A problem at a place below `at`. */
export function problemAt(
  at: Location,
  below: readonly (string | number)[],
  message: string,
): Problem {
  return { at: { file: at.file, keys: [...at.keys, ...below] }, message };
}

/** A problem of a name that the source lacks. */
export function goneAt(...place: Parameters<typeof problemAt>): DefinitionProblem {
  return { ...problemAt(...place), isGone: true };
}

/** `; did you mean "Navn"?` where a name differs only in case, else the names that there are. */
export function suggestion(name: string, known: Iterable<string>): string {
  const names = [...known];
  const near = names.find((other) => other.toLowerCase() === name.toLowerCase());
  return near === undefined ? `; there are: ${first(names)}` : `; did you mean "${near}"?`;
}

/** Each problem once: a source table of two sinks is looked at twice. */
export function withoutRepeats<Found extends Problem>(
  problems: readonly Found[],
): readonly Found[] {
  const idOf = ({ at, message }: Found) => JSON.stringify([at.file, at.keys, message]);
  return [...new Map(problems.map((problem) => [idOf(problem), problem])).values()];
}

/** Names that a message lists: a table can have thousands of columns. */
const MAX_LISTED = 20;

function first(names: readonly string[]): string {
  const more = names.length - MAX_LISTED;
  const listed = names.slice(0, MAX_LISTED).join(', ');
  return more > 0 ? `${listed} and ${more} more` : listed;
}
