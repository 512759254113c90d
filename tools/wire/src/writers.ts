import { join } from 'node:path';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import { type Program, type ProgramOptions, startAnswering } from './program.ts';
import { openPrograms } from './programs.ts';

/** Types of Bloblang's values in lib/pq: text, json.Number, float64, int64, bool, []byte (base64 here), time.Time. */
export type PqBind =
  | ValueOf<'string' | 'number' | 'float64' | 'int64' | 'bool' | 'bytes' | 'time' | 'structured'>
  | { readonly bind: 'null' };

/**
 * Binds of Kafka Connect's sinks in pgjdbc.
 *
 * `set…` is for Confluent's sink. The milliseconds of `setDate`, `setTime` and `setTimestamp` are in UTC. The classes
 * of java.time are for the `setObject` of Debezium's sink.
 */
export type JdbcBind =
  | ValueOf<
      | `set${'String' | 'Boolean' | 'Byte' | 'Short' | 'Int' | 'Long' | 'Float' | 'Double'}`
      | `set${'BigDecimal' | 'Bytes' | 'Date' | 'Time' | 'Timestamp'}`
      | `Local${'Date' | 'Time' | 'DateTime'}`
      | `Offset${'Time' | 'DateTime'}`
      | 'ZonedDateTime'
      | 'UUID'
    >
  /** `value` is a JSON array of texts and nulls. */
  | (ValueOf<'array'> & { readonly element: string })
  | { readonly bind: 'null' };

interface ValueOf<Bind extends string> {
  readonly bind: Bind;
  /** Bytes as base64. */
  readonly value: string;
}

export interface Insert<Bind> {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Bind[])[];
  /** Types that the sink casts columns to, only for pgjdbc. Debezium's sink does so for uuid: `CAST(? AS uuid)`. */
  readonly casts?: Readonly<Record<string, string>>;
}

export type Inserted =
  | { readonly ok: true; readonly rows: number }
  /** Without an SQLSTATE if the driver itself refuses. */
  | { readonly ok: false; readonly sqlstate?: string; readonly message: string };

export interface Writer<Bind> extends Program {
  insert(insert: Insert<Bind>): Promise<Inserted>;
}

export interface WriterTarget {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** More connection parameters: `{ stringtype: 'unspecified' }`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/**
 * Starts a writer like `sql_insert` of Bento and Redpanda Connect: lib/pq, all rows in one INSERT.
 *
 * Its query builder treats a question mark as a parameter, even in names. Two question marks escape one.
 */
export async function startPqWriter(target: WriterTarget): Promise<Writer<PqBind>> {
  const { bin } = await openPrograms();
  const options = {
    command: join(bin, 'pq-writer'),
    args: [],
    env: { WIRE_DSN: renderDsn(target) },
  };
  return withInsert(options, (name) => name.replaceAll('?', '??'));
}

/** Starts a writer like the JDBC sinks of Kafka Connect: pgjdbc, a batch of one statement. */
export async function startJdbcWriter(target: WriterTarget): Promise<Writer<JdbcBind>> {
  const { classPath } = await openPrograms();
  const { user, password } = target;
  const query = new URLSearchParams({ user, password, ...target.parameters });
  const url = `jdbc:postgresql://127.0.0.1:${target.port}/${encodeURIComponent(target.database)}?${query}`;
  const args = ['-Xmx64m', '-XX:+UseSerialGC', '-cp', classPath, 'JdbcWriter'];
  return withInsert({ command: 'java', args, env: { WIRE_JDBC_URL: url } });
}

/** Renders the DSN for a Bento configuration. */
export function renderDsn({ port, database, user, password, parameters }: WriterTarget): string {
  const query = new URLSearchParams({ sslmode: 'disable', ...parameters });
  const login = [user, password].map(encodeURIComponent).join(':');
  return `postgres://${login}@127.0.0.1:${port}/${encodeURIComponent(database)}?${query}`;
}

/**
 * Adds the INSERT to a writer.
 *
 * @param escape escapes a name in SQL in addition to its quotes.
 */
function withInsert<Bind>(options: ProgramOptions, escape = (name: string) => name): Writer<Bind> {
  const program = startAnswering<object, Inserted>(options);
  const insert = ({ schema, table, columns, rows, casts = {} }: Insert<Bind>) =>
    program.ask({
      table: escape(quoteQualified(schema, table)),
      columns: columns.map((name) => escape(quoteIdentifier(name))),
      placeholders: columns.map((name) => (casts[name] ? `CAST(? AS ${casts[name]})` : '?')),
      rows,
    });
  return Object.defineProperties(
    { insert },
    Object.getOwnPropertyDescriptors(program),
  ) as Writer<Bind>;
}
