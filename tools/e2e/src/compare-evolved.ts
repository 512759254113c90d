import type { ColumnStructure, RelationStructure } from './read-structure.ts';

/** A row of `cdc_management.column_note`. */
export interface ColumnNote {
  readonly name: string;
  readonly column: string;
  readonly state: string;
}

/**
 * How a relation that went through earlier definitions differs from one that was made of the last: a sentence for each
 * difference, none where they are equal. The order of columns is no difference, nor is what the notes list: a column
 * that left the source, a column that can be NULL until it is tightened.
 */
export function compareEvolved(
  made: RelationStructure,
  evolved: RelationStructure,
  notes: readonly ColumnNote[],
): readonly string[] {
  const own = notes.filter(({ name }) => name === evolved.name);
  const states = new Map(own.map(({ column, state }) => [column, state]));
  const wanted = new Map(made.columns.map((column) => [column.name, column]));
  const found = new Map(evolved.columns.map((column) => [column.name, column]));
  const columns = [...new Set([...wanted.keys(), ...found.keys()])].sort().flatMap((name) => {
    const [state, one, other] = [states.get(name), wanted.get(name), found.get(name)];
    if (state === 'left the source' && !one && other) return [];
    const tightened = state === 'to tighten' && other ? { ...other, nullable: false } : other;
    const [expected, actual] = [describe(one), describe(tightened)];
    return expected === actual ? [] : [`column ${name}: ${actual}, made: ${expected}`];
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
  return JSON.stringify(part).replaceAll(`${schema}.`, '');
}
