import { join } from 'node:path';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import { type Program, type ProgramOptions, startAnswering } from './program.ts';
import { openPrograms } from './programs.ts';

/** How Bloblang's values reach lib/pq: text, json.Number, float64, int64, bool, []byte (base64 here), time.Time. */
export type PqBind =
  | ValueOf<'string' | 'number' | 'float64' | 'int64' | 'bool' | 'bytes' | 'time' | 'structured'>
  | { readonly bind: 'null' };

/**
 * How Kafka Connect's sinks bind with pgjdbc.
 *
 * `set…`: Confluent's; the milliseconds of `setDate`, `setTime` and `setTimestamp` are of UTC. The classes of java.time:
 * Debezium's `setObject`.
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
  /** `value`: a JSON array of texts and nulls. */
  | (ValueOf<'array'> & { readonly element: string })
  | { readonly bind: 'null' };

interface ValueOf<Bind extends string> {
  readonly bind: Bind;
  /** Bytes are base64. */
  readonly value: string;
}

export interface Insert<Bind> {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Bind[])[];
  /** A type for each column that the sink casts to, as Debezium's does with uuid: `CAST(? AS uuid)`; of pgjdbc. */
  readonly casts?: Readonly<Record<string, string>>;
}

export type Inserted =
  | { readonly ok: true; readonly rows: number }
  /** The driver itself refuses without an SQLSTATE. */
  | { readonly ok: false; readonly sqlstate?: string; readonly message: string };

export interface Writer<Bind> extends Program {
  insert(insert: Insert<Bind>): Promise<Inserted>;
}

export interface WriterTarget {
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** Further parameters of the connection: `{ stringtype: 'unspecified' }`. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/**
 * Writes as Bento's and Redpanda Connect's `sql_insert` do: lib/pq, all rows in one INSERT.
 *
 * What builds the INSERT there takes a question mark for a parameter, in names too; two of them are one.
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

/** Writes as the JDBC sinks of Kafka Connect do: pgjdbc, a batch of one statement. */
export async function startJdbcWriter(target: WriterTarget): Promise<Writer<JdbcBind>> {
  const { classPath } = await openPrograms();
  const { user, password } = target;
  const query = new URLSearchParams({ user, password, ...target.parameters });
  const url = `jdbc:postgresql://127.0.0.1:${target.port}/${encodeURIComponent(target.database)}?${query}`;
  const args = ['-Xmx64m', '-XX:+UseSerialGC', '-cp', classPath, 'JdbcWriter'];
  return withInsert({ command: 'java', args, env: { WIRE_JDBC_URL: url } });
}

/** As it stands in a configuration of Bento. */
export function renderDsn({ port, database, user, password, parameters }: WriterTarget): string {
  const query = new URLSearchParams({ sslmode: 'disable', ...parameters });
  const login = [user, password].map(encodeURIComponent).join(':');
  return `postgres://${login}@127.0.0.1:${port}/${encodeURIComponent(database)}?${query}`;
}

/** @param escape what a name in SQL needs besides its quotes. */
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
