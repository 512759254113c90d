import { parsePgType } from '@cdc-migrations/table-defs';
import type { Insert } from './insert.ts';

/** Returns the reason why a value does not match a column's type, as far as its expression shows, or undefined. */
export function valueProblem(
  expression: string,
  type: string,
  language: Insert['language'],
): string | undefined {
  const base = parsePgType(type)?.base ?? type;
  return language === 'bloblang'
    ? bloblangProblem(expression, base)
    : literalProblem(expression, base);
}

/** A plain path gives the value of the event, where binary data is text. */
const PATH = /^(?:this|\$\w+)(?:\.[\w"? ]+)+$/u;

function bloblangProblem(expression: string, base: string): string | undefined {
  if (base !== 'bytea' || !PATH.test(expression)) return undefined;
  return 'expected bytes, found a text, whose letters would be stored as bytes; add .decode("base64"), or .decode("hex")';
}

/** Required form of texts, for each type that PostgreSQL would refuse or misread otherwise. */
const FORMS = new Map(
  Object.entries<readonly [RegExp, string]>({
    smallint: [/^\s*[-+]?\d+\s*$/, 'an integer'],
    integer: [/^\s*[-+]?\d+\s*$/, 'an integer'],
    bigint: [/^\s*[-+]?\d+\s*$/, 'an integer'],
    numeric: [/^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+|infinity|inf|nan)(?:e[-+]?\d+)?\s*$/i, 'a number'],
    'double precision': [
      /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+|infinity|inf|nan)(?:e[-+]?\d+)?\s*$/i,
      'a number',
    ],
    boolean: [/^\s*(?:t(?:rue)?|f(?:alse)?|y(?:es)?|no?|on|off|[01])\s*$/i, 'true or false'],
    date: [/^\s*(?:\d{4,}-\d\d-\d\d|[-+]?infinity)/i, 'a date as 2024-01-31'],
    'timestamp without time zone': [
      /^\s*(?:\d{4,}-\d\d-\d\d|[-+]?infinity)/i,
      'a time as 2024-01-31 23:59:59',
    ],
    'timestamp with time zone': [
      /^\s*(?:\d{4,}-\d\d-\d\d|[-+]?infinity)/i,
      'a time as 2024-01-31 23:59:59+00',
    ],
    'time without time zone': [/^\s*\d\d?:\d\d/, 'a time of day as 23:59:59'],
    'time with time zone': [/^\s*\d\d?:\d\d/, 'a time of day as 23:59:59+00'],
    uuid: [/^\s*\{?(?:[0-9a-f]{4}-?){8}\}?\s*$/i, 'a uuid'],
    bytea: [/^\\x(?:[0-9a-f]{2})*$/i, 'bytes as \\xdeadbeef'],
  }),
);

/** Types that accept an unquoted number. */
const NUMBERS = new Set(['smallint', 'integer', 'bigint', 'numeric', 'double precision', 'real']);

function literalProblem(expression: string, base: string): string | undefined {
  const [form, expected] = FORMS.get(base) ?? [];
  if (!form) return undefined;
  const text = textOf(expression);
  if (text !== undefined) {
    return form.test(text) ? undefined : `expected ${expected}, found '${text}'`;
  }
  const isNumber = /^[-+]?[\d.]+(?:e[-+]?\d+)?$/i.test(expression);
  return isNumber && !NUMBERS.has(base)
    ? `expected ${expected}, found the number ${expression}`
    : undefined;
}

/** Returns the text of a quoted SQL literal, or undefined for any other expression. */
function textOf(expression: string): string | undefined {
  if (!/^'[^]*'$/.test(expression) || expression.length < 2) return undefined;
  const parts = expression.slice(1, -1).split("''");
  return parts.some((part) => part.includes("'")) ? undefined : parts.join("'");
}
