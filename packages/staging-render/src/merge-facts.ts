import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { formSql, type FormSql } from './event-form.ts';
import { keyText, keyValue, unavailableLiteral } from './staged-value.ts';

/** Facts of a table that `cdc_management` needs to merge its events. `%1$s` is the placeholder for a column. */
interface MergeFacts {
  /** Kind of deletes. `none` for a table without a key. */
  readonly deletes: 'hard' | 'soft' | 'none';
  /** Effect of a TRUNCATE of the source. If undefined, a TRUNCATE is moved to the dead letters. */
  readonly truncate?: 'empty';
  /** Set if positions are LSNs, where gaps are normal. */
  readonly positions?: 'lsn';
  /** Key columns. A plain name is compared as staged, and its text is the column's text. */
  readonly key: readonly (string | KeyFacts)[];
  /** Placeholders as SQL, for columns whose unchanged value Debezium omits. */
  readonly unavailable?: Readonly<Record<string, string>>;
  /** Constants as SQL, for columns without a value in the row and in the event. */
  readonly backfill?: Readonly<Record<string, string>>;
  /** SQL for the forms of values. */
  readonly forms?: Readonly<Record<string, FormSql>>;
  /** Renamed columns by their names at the source. */
  readonly named?: Readonly<Record<string, string>>;
}

interface KeyFacts {
  readonly name: string;
  /** The value as stored in the final table. */
  readonly value?: string;
  /** A text that is equal for equal values. */
  readonly text?: string;
  /** The same text for a stored value, if it differs. */
  readonly stored?: string;
}

const COLUMN = '%1$s';
/** Maximum line length in characters before a value moves to its own line. */
const LINE = 120;

/** Renders the facts of a table as JSON, with one line per large column, constant, form and renamed column. */
export function renderFacts(table: ReplicatedTable): string {
  const { unavailable, backfill, forms, named, ...facts } = buildFacts(table);
  const text = Object.entries(facts).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{${[...text, ...inLines({ unavailable, backfill, forms, named })].join(', ')}}`;
}

function inLines(maps: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>) {
  return Object.entries(maps).flatMap(([fact, map = {}]) => {
    const lines = Object.entries(map).map(([name, value]) => {
      const [key, text] = [JSON.stringify(name), JSON.stringify(value)];
      return key.length + text.length < LINE ? `\n  ${key}: ${text}` : `\n  ${key}:\n    ${text}`;
    });
    return lines.length === 0 ? [] : [`${JSON.stringify(fact)}: {${lines.join(',')}}`];
  });
}

function buildFacts({
  key,
  columns,
  deleteMode,
  unavailable,
  truncate,
  positions,
}: ReplicatedTable): MergeFacts {
  const names = key?.columns ?? [];
  const large = key
    ? columns
        .filter(({ name }) => !names.includes(name))
        .flatMap((column) => {
          const placeholder = unavailableLiteral(column, unavailable);
          return placeholder === undefined ? [] : [[column.name, placeholder] as const];
        })
    : [];
  const forms = columns.flatMap((column) => {
    const form = formSql(COLUMN, column);
    return form ? [[column.name, form] as const] : [];
  });
  const filled = columns.flatMap(({ name, backfill }) =>
    backfill === undefined ? [] : [[name, backfill] as const],
  );
  const named = columns.flatMap(({ name, source }) =>
    source && source.name !== name ? [[source.name, name] as const] : [],
  );
  return {
    deletes: key ? deleteMode : 'none',
    ...(truncate && { truncate }),
    ...(positions && { positions }),
    key: names.map((name) => describeKey(columns.find((column) => column.name === name)!)),
    ...(large.length > 0 && { unavailable: Object.fromEntries(large) }),
    ...(filled.length > 0 && { backfill: Object.fromEntries(filled) }),
    ...(forms.length > 0 && { forms: Object.fromEntries(forms) }),
    ...(named.length > 0 && { named: Object.fromEntries(named) }),
  };
}

function describeKey(column: ColumnDefinition): string | KeyFacts {
  const { name, form, source, ...stored } = column;
  if (form !== undefined) {
    const value = keyValue(COLUMN, column);
    return { name, value, text: keyText(value, stored), stored: keyText(COLUMN, stored) };
  }
  const [value, text] = [keyValue(COLUMN, column), keyText(COLUMN, column)];
  if (value === COLUMN && text === `${COLUMN}::text`) return name;
  return {
    name,
    ...(value !== COLUMN && { value }),
    ...(text !== `${COLUMN}::text` && { text }),
  };
}
