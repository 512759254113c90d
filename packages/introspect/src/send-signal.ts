import { quoteName, quoteText } from './mssql/quote-t-sql.ts';
import { DEFAULT_TIMEOUT_MS, type SourceDatabase, type SourceOptions } from './source-database.ts';

/** A row of the signalling table of Debezium. */
export interface Signal {
  readonly table: { readonly schema: string; readonly table: string };
  readonly id: string;
  readonly type: string;
  /** JSON. */
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

/**
 * Inserts a signal into its table in a source database.
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
