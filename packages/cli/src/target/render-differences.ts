import type { Difference } from '@cdc-migrations/tracker';

/** A line for each difference: `missing  osloprod.Actor: column "Navn"`. */
export function renderDifferences(differences: readonly Difference[]): readonly string[] {
  return differences.map(({ kind, schema, name, message }) => {
    const place = name === '' ? schema : `${schema}.${name}`;
    return `${kind}  ${place}: ${message}`;
  });
}
