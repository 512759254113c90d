import type { ColumnStructure, RelationStructure } from './read-structure.ts';

/**
 * How a relation that went through earlier definitions differs from one that was made of the last: a sentence for each
 * difference, none where they are equal. The order of columns is no difference.
 */
export function compareEvolved(
  made: RelationStructure,
  evolved: RelationStructure,
): readonly string[] {
  const wanted = new Map(made.columns.map((column) => [column.name, column]));
  const found = new Map(evolved.columns.map((column) => [column.name, column]));
  const columns = [...new Set([...wanted.keys(), ...found.keys()])].sort().flatMap((name) => {
    const [one, other] = [describe(wanted.get(name)), describe(found.get(name))];
    return one === other ? [] : [`column ${name}: ${other}, made: ${one}`];
  });
  const rest = (['persistence', 'primaryKey', 'indexes', 'triggers'] as const).flatMap((part) => {
    const [one, other] = [made, evolved].map((relation) => withoutSchema(relation[part], relation));
    return one === other ? [] : [`${part}: ${other}, made: ${one}`];
  });
  return [...columns, ...rest].map((difference) => `${evolved.name} ${difference}`);
}

/** `integer NOT NULL DEFAULT 0`. */
function describe(column: ColumnStructure | undefined): string {
  if (!column) return 'none';
  const { type, nullable, default: initial } = column;
  return type + (nullable ? '' : ' NOT NULL') + (initial === null ? '' : ` DEFAULT ${initial}`);
}

function withoutSchema(part: unknown, { schema }: RelationStructure): string {
  return JSON.stringify(part).replaceAll(schema, '');
}
