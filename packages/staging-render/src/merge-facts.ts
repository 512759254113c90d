import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { keyText, keyValue, unavailableLiteral } from './staged-value.ts';

/** What `cdc_management` has to know of a table to merge its events; `%1$s` stands for a column. */
interface MergeFacts {
  /** How deletes are merged; `none` for a table without a key. */
  readonly deletes: 'hard' | 'soft' | 'none';
  /** A name alone is compared as it is staged, and told by its text. */
  readonly key: readonly (string | KeyFacts)[];
  /** Placeholders, as SQL, of columns whose value Debezium leaves out if it did not change. */
  readonly unavailable?: Readonly<Record<string, string>>;
}

interface KeyFacts {
  readonly name: string;
  /** The value as the final table stores it. */
  readonly value?: string;
  /** A text that is the same for equal values. */
  readonly text?: string;
}

const COLUMN = '%1$s';

/** The facts of a table as JSON, a line for each large column. */
export function renderFacts(table: ReplicatedTable): string {
  const { unavailable, ...facts } = buildFacts(table);
  const text = Object.entries(facts).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const large = Object.entries(unavailable ?? {}).map(
    ([name, value]) => `\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  if (large.length > 0) text.push(`"unavailable": {${large.join(',')}}`);
  return `{${text.join(', ')}}`;
}

function buildFacts({ key, columns, deleteMode }: ReplicatedTable): MergeFacts {
  const names = key?.columns ?? [];
  const large = key
    ? columns
        .filter(({ name }) => !names.includes(name))
        .flatMap((column) => {
          const placeholder = unavailableLiteral(column);
          return placeholder === undefined ? [] : [[column.name, placeholder] as const];
        })
    : [];
  return {
    deletes: key ? deleteMode : 'none',
    key: names.map((name) => describeKey(columns.find((column) => column.name === name)!)),
    ...(large.length > 0 && { unavailable: Object.fromEntries(large) }),
  };
}

function describeKey(column: ColumnDefinition): string | KeyFacts {
  const { name } = column;
  const [value, text] = [keyValue(COLUMN, column), keyText(COLUMN, column)];
  if (value === COLUMN && text === `${COLUMN}::text`) return name;
  return {
    name,
    ...(value !== COLUMN && { value }),
    ...(text !== `${COLUMN}::text` && { text }),
  };
}
