import { quoteName, quoteText } from './mssql/quote-t-sql.ts';
import { DEFAULT_TIMEOUT_MS, type SourceDatabase, type SourceOptions } from './source-database.ts';

/** A row of Debezium's signaling table. */
export interface Signal {
  readonly table: { readonly schema: string; readonly table: string };
  readonly id: string;
  readonly type: string;
  /** Data of the signal as JSON. */
  readonly data: string;
}

/**
 * Renders the INSERT of a signal.
 *
 * @example
 * renderSignal('postgres', signal)
 * // INSERT INTO "public"."debezium_signal" ("id", "type", "data") VALUES ('1', 'execute-snapshot', '{…}');
 */
export function renderSignal(type: SourceDatabase['type'], signal: Signal): string {
  const { name, text } = SPELLED[type];
  const { schema, table } = signal.table;
  const columns = ['id', 'type', 'data'].map(name).join(', ');
  const values = [signal.id, signal.type, signal.data].map(text).join(', ');
  return `INSERT INTO ${name(schema)}.${name(table)} (${columns}) VALUES (${values});`;
}

const SPELLED = {
  mssql: { name: quoteName, text: quoteText },
  postgres: {
    name: (name: string) => `"${name.replaceAll('"', '""')}"`,
    text: (text: string) => `'${text.replaceAll("'", "''")}'`,
  },
} as const;

/** Kind of a Debezium snapshot: in chunks in parallel with the changes, or all rows at once. */
export type SnapshotKind = 'INCREMENTAL' | 'BLOCKING';

/** A table in a signal. */
export interface SignalledTable {
  /** Name parts: the database if the connector has several (SQL Server), the schema, the table. */
  readonly name: readonly string[];
  /** SQL condition. Without it, all rows are read. */
  readonly filter?: string;
}

/** Thrown if the name of a table cannot be written in a signal. */
export class SignalNameError extends Error {
  override readonly name = 'SignalNameError';
}

/**
 * Renders the data of a signal that requests a snapshot of tables.
 *
 * Debezium treats a name as a regular expression. If it matches no table, an incremental snapshot treats it as a table
 * name in SQL, with quotes around parts with dots or blanks. The names of most tables are therefore unchanged, and
 * others are quoted or escaped.
 *
 * @throws SignalNameError
 * @see https://debezium.io/documentation/reference/stable/configuration/signalling.html
 */
export function renderSnapshotData(
  tables: readonly SignalledTable[],
  { type, kind }: { readonly type: SourceDatabase['type']; readonly kind: SnapshotKind },
): string {
  const spelled = tables.map((table) => ({
    ...table,
    ...(kind === 'BLOCKING' ? spellBlocking(table.name) : spellIncremental(table.name, type)),
  }));
  const conditions = spelled.flatMap(({ name, id, filter }) => {
    if (filter === undefined) return [];
    // Patterns are case-insensitive in conditions, names are not.
    if (kind === 'INCREMENTAL') return [{ 'data-collection': `(?-i)${escape(id)}`, filter }];
    if (!isPattern(id)) throw cannotName(name, 'the rows of some customers', 'all of them');
    const from = name.map(SPELLED[type].name).join('.');
    return [{ 'data-collection': id, filter: `SELECT * FROM ${from} WHERE ${filter}` }];
  });
  return JSON.stringify({
    'data-collections': [...new Set(spelled.map(({ text }) => text))],
    type: kind,
    ...(conditions.length > 0 && { 'additional-conditions': conditions }),
  });
}

/** A table name in a signal. `text` requests the table, and `id` is Debezium's name for it from then on. */
interface SpelledName {
  readonly text: string;
  readonly id: string;
}

const NEEDS_QUOTES = /[.\s]|^["'`]|["'`]{2}/;
const NEEDS_ESCAPE = /[\\^$*+?()[\]{}|,]/;

function isPlain(name: SignalledTable['name']): boolean {
  return !name.some((part) => NEEDS_QUOTES.test(part) || NEEDS_ESCAPE.test(part));
}

function spellIncremental(name: SignalledTable['name'], type: SourceDatabase['type']): SpelledName {
  const plain = name.join('.');
  if (isPlain(name)) return { text: plain, id: plain };
  // The PostgreSQL connector cannot parse such a name from its offsets after a restart.
  const isLost = type === 'postgres' && name.some((part) => /\s|^["'`]|["'`]{2}/.test(part));
  const quoted = quoteParts(name);
  if (!isLost && isPattern(quoted)) return { text: quoted, id: quoted };
  if (!name.some((part) => NEEDS_QUOTES.test(part))) return { text: escapeParts(name), id: plain };
  throw cannotName(name, 'an incremental snapshot', 'a blocking one');
}

function spellBlocking(name: SignalledTable['name']): SpelledName {
  const text = isPlain(name) ? name.join('.') : escapeParts(name).replaceAll(',', '\\,');
  return { text, id: quoteParts(name) };
}

function escapeParts(name: SignalledTable['name']): string {
  return name.map(escape).join('\\.');
}

/** Escapes a name as a regular expression. Blanks are escaped too, because Debezium trims names. */
function escape(text: string): string {
  return text
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replace(/\s/g, (blank) => `\\u${blank.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function quoteParts(name: SignalledTable['name']): string {
  return name
    .map((part) =>
      NEEDS_QUOTES.test(part) || NEEDS_ESCAPE.test(part)
        ? `"${part.replace(/["'`]/g, '$&$&')}"`
        : part,
    )
    .join('.');
}

/** Checks if the text is also a valid regular expression of Java. */
function isPattern(text: string): boolean {
  if (/[[\\]|\(\?/.test(text)) return false;
  try {
    return new RegExp(text, 'u') !== undefined;
  } catch {
    return false;
  }
}

function cannotName(name: SignalledTable['name'], what: string, other: string): SignalNameError {
  return new SignalNameError(
    `${name.join('.')}: Debezium does not support ${what} for a table with this name; request ${other}`,
  );
}

/**
 * Inserts a signal into the signaling table of a source database.
 *
 * @throws SourceError
 */
export async function sendSignal(
  source: SourceDatabase,
  signal: Signal,
  { timeoutMs = DEFAULT_TIMEOUT_MS, onEvent = () => undefined }: SourceOptions = {},
): Promise<void> {
  onEvent({ kind: 'connecting', database: source.database, host: source.server.host });
  const text = renderSignal(source.type, signal);
  if (source.type === 'mssql') {
    const { openMssql } = await import('./mssql/open-mssql.ts');
    const session = await openMssql(source, timeoutMs);
    try {
      await session.batch(text);
    } finally {
      session.close();
    }
    return;
  }
  const { openPostgres } = await import('./postgres/open-postgres.ts');
  const session = openPostgres(source, timeoutMs);
  try {
    await session.write(text);
  } finally {
    await session.close();
  }
}
