import type { Server } from '@cdc-migrations/config';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import { BINARY, bracket, convert, sourceType } from '../source/mssql-values.ts';
import { bloblangText, tableText } from './bloblang.ts';
import type { Flow, FlowTable } from './plan-flows.ts';
import { sourceName } from './topics.ts';

/** Changes of a table in one read. A larger transaction is read completely. */
const PAGE_ROWS = 20_000;
/** Poll interval of a table. `CDC_POLL_INTERVAL` sets the pause between two tables instead. */
const POLL_MS = 5000;

export interface ChangeReaderParts {
  /** Fields of a connection to the target. */
  readonly target: object;
  /** Returns the schema of a table as Bloblang text. */
  readonly schemaText: (table: FlowTable) => string;
}

/**
 * Builds the Bento input that reads the change tables of SQL Server, one table after the other. It reads a page of
 * changes after the cursor in the target, as Debezium events. The last message of a page, `read`, moves the cursor
 * after the whole page is staged. The table is not polled again before that.
 *
 * @throws CommandError if events are configured in another format
 */
export function changeInput(
  flow: Flow,
  tables: readonly FlowTable[],
  { target, schemaText }: ChangeReaderParts,
): object {
  tables.forEach(checkForm);
  const source = sourceConnection(flow);
  const polls = tables.map((each) => pollOf(each, schemaText(each)));
  const interval = `\${CDC_POLL_INTERVAL:${Math.max(1, Math.ceil(POLL_MS / tables.length))}ms}`;
  return {
    generate: {
      interval,
      mapping: `let polls = [\n${polls.map((poll) => `  ${poll},\n`).join('')}]
root = $polls.index((count("cdc_poll") - 1) % ${tables.length})
`,
    },
    processors: [
      { mapping: startPoll(flow) },
      { cache: { resource: 'polls', operator: 'add', key: '${! @cdc_poll }', value: 'at work' } },
      { mapping: 'root = if errored() { deleted() }' },
      {
        try: [
          branch(
            {
              sql_raw: {
                ...target,
                query: `SELECT read_to, problem FROM ${MANAGEMENT_SCHEMA}.changes_after($1, $2, $3, $4)`,
                args_mapping: 'root = [this.schema, this.table, this.source_db, this.source_table]',
              },
            },
            'root.after = this.0.read_to\nroot.problem = this.0.problem',
          ),
          {
            switch: [
              {
                check: 'this.problem != null',
                processors: [{ log: { level: 'ERROR', message: '${! this.problem }' } }],
              },
            ],
          },
          branch(
            {
              sql_raw: {
                ...source,
                query: CHANGES,
                args_mapping: 'root = [this.after, this.name, this.columns, this.keys]',
              },
            },
            'root.rows = this',
          ),
          // Runs after the changes, so that it sees removals before the read.
          branch(
            {
              sql_raw: {
                ...source,
                query: 'SELECT CONVERT(varchar(22), sys.fn_cdc_get_min_lsn(?), 1) AS lowest',
                args_mapping: 'root = [this.instance]',
              },
            },
            'root.lowest = this.0.lowest',
            'root.instance = this.rows.0."__$instance"',
          ),
          { mapping: EVENTS },
          { unarchive: { format: 'json_array' } },
          { mapping: POSITION },
        ],
      },
      {
        catch: [
          {
            log: {
              level: 'ERROR',
              message: 'changes of ${! @cdc_source_table } cannot be read: ${! error() }',
            },
          },
          { cache: { resource: 'polls', operator: 'delete', key: '${! @cdc_poll }' } },
          { mapping: 'root = deleted()' },
        ],
      },
    ],
  };
}

/** Builds the output that stages the events of a page, then moves the cursor. */
export function changeOutput(
  events: readonly object[],
  { target }: Pick<ChangeReaderParts, 'target'>,
): object {
  return {
    broker: {
      pattern: 'fan_out_sequential',
      outputs: [
        { switch: { cases: [{ check: '@cdc_read != null', output: { drop: {} } }, ...events] } },
        {
          sql_raw: {
            ...target,
            query: `SELECT ${MANAGEMENT_SCHEMA}.note_changes_read($1, $2, $3, $4, $5, $6, $7, $8)`,
            args_mapping:
              'root = [this.schema, this.table, this.source_db, this.source_table, this.after, this.read_to, this.lowest, this.events]',
          },
          processors: [
            { mapping: 'root = if @cdc_read == null { deleted() }' },
            { cache: { resource: 'polls', operator: 'delete', key: '${! @cdc_poll }' } },
          ],
        },
      ],
    },
  };
}

/** Tables with a read in progress. An unexpected failure blocks a table for ten minutes. */
export const CHANGE_CACHE = { label: 'polls', memory: { default_ttl: '20m' } };

function branch(processor: object, resultMap: string, requestMap = 'root = this'): object {
  return { branch: { request_map: requestMap, processors: [processor], result_map: resultMap } };
}

function checkForm({ sink, table, events }: FlowTable): void {
  const found = [
    ...(events.time === 'isostring' ? [] : [`time_precision_mode ${events.time}`]),
    ...(events.decimal === 'string' ? [] : [`decimal_handling_mode ${events.decimal}`]),
  ];
  if (found.length === 0) return;
  throw new CommandError(
    `${sink.at.file} ${table.set} ${sink.schema}.${sink.table}: expected events: recommended with positions: lsn, ` +
      `found ${found.join(' and ')}: the pipeline writes times in ISO 8601 and decimals as text`,
  );
}

/** Renders a table for the mappings and the query. */
function pollOf(each: FlowTable, schema: string): string {
  const { source, name } = each.table;
  const { columns, keys, bytes } = columnsOf(each.table);
  const poll = {
    source: tableText(each),
    source_schema: bloblangText(source.schema),
    source_table: bloblangText(source.table),
    schema,
    table: bloblangText(name),
    name: bloblangText(`${bracket(source.schema)}.${bracket(source.table)}`),
    keys: bloblangText(keys),
    columns: bloblangText(columns),
    binary: `[${bytes}]`,
  };
  return `{ ${Object.entries(poll)
    .map(([field, value]) => `"${field}": ${value}`)
    .join(', ')} }`;
}

/** Returns the source columns in T-SQL, those of the key, and the names of binary columns in Bloblang. */
function columnsOf({ columns, key }: FlowTable['table']) {
  const sourced = columns.flatMap((column) => {
    const type = sourceType(column);
    return type === undefined ? [] : [{ ...column, type, from: bracket(column.source!.name) }];
  });
  const keys = sourced.filter(({ name }) => key?.columns.includes(name));
  const bytes = sourced.filter(({ type }) => BINARY.has(type));
  return {
    columns: sourced.map(({ from, type }) => `${convert(`c.${from}`, type)} AS ${from}`).join(', '),
    keys: keys.map(({ from }) => `ct.${from}`).join(', '),
    bytes: bytes.map((column) => bloblangText(column.source!.name)).join(', '),
  };
}

/** Returns the source of events as Bloblang texts. */
function sourceOf(flow: Flow): { readonly database: string; readonly name: string } {
  const [feed] = flow.feeds;
  return {
    database:
      flow.group.pattern === 'db-per-tenant'
        ? 'env("CDC_SOURCE_DATABASE")'
        : bloblangText(feed?.database ?? ''),
    name: bloblangText(sourceName(flow, feed?.env ?? flow.env)),
  };
}

function startPoll(flow: Flow): string {
  const { database, name } = sourceOf(flow);
  return `root = this
root.source_db = ${database}
root.source_name = ${name}
meta cdc_source_table = this.source
meta cdc_poll = this.source + " " + (timestamp_unix() / 600).floor().string()
`;
}

const GENERATION = '"${CDC_STREAM_GENERATION:0}".int64()';
/** Converts a binary `field` of a row from hex, as SQL Server sends it, to base64 like Debezium. */
const BASE64 =
  'if $binary.contains(field.key) && field.value != null { field.value.decode("hex").encode("base64") } else { field.value }';

/** Converts the rows of a page to events, with the end of the page. */
const EVENTS = `let poll = this
let binary = this.binary
root = if this.rows.0."__$read_to" == null { throw("the capture job has captured nothing yet") }
let changes = this.rows.filter(row -> row."__$start_lsn" != null).map_each(row -> {
  "is": row,
  "values": row.without(
    "__$read_to", "__$instance", "__$start_lsn", "__$operation", "__$generation", "__$offset", "__$ts_ms"
  ).map_each(field -> ${BASE64})
})
let events = $changes.map_each(change -> {
  "event": {
    "op": match change.is."__$operation" { this == 1 => "d", this == 2 => "c", _ => "u" },
    "before": if change.is."__$operation" == 1 { change.values } else { null },
    "after": if change.is."__$operation" == 1 { null } else { change.values },
    "source": {
      "name": $poll.source_name, "db": $poll.source_db, "schema": $poll.source_schema, "table": $poll.source_table,
      "ts_ms": change.is."__$ts_ms", "commit_lsn": change.is."__$start_lsn"
    }
  },
  "generation": change.is."__$generation",
  "offset": change.is."__$offset"
})
root = $events.append({
  "read": {
    "schema": this.schema, "table": this.table, "source_db": this.source_db, "source_table": this.source_table,
    "after": this.after, "read_to": this.rows.0."__$read_to", "lowest": this.lowest, "events": $events.length()
  }
})
`;

const POSITION = `meta kafka_partition = 0
meta kafka_offset = if this.exists("event") { this.offset }
meta cdc_generation = if this.exists("event") { this.generation + ${GENERATION} }
meta kafka_timestamp_ms = timestamp_unix_milli()
meta cdc_read = if this.exists("read") { this.read.read_to }
root = this.event | this.read
`;

/**
 * Builds the Bento input that reads all rows of the source tables once and ends. Each row has the position of the last
 * change captured before the read. The row is not older than that position, and later changes of it have higher ones.
 *
 * @throws CommandError if events are configured in another format
 */
export function snapshotInput(
  flow: Flow,
  tables: readonly FlowTable[],
  plain: (text: string) => unknown,
): object {
  tables.forEach(checkForm);
  const { database, name } = sourceOf(flow);
  const inputs = tables.map(({ table }) => {
    const { source } = table;
    const { columns, bytes } = columnsOf(table);
    return {
      sql_raw: {
        ...sourceConnection(flow),
        query: plain(`DECLARE @lsn binary(10) = sys.fn_cdc_get_max_lsn();
IF @lsn IS NULL THROW 50000, 'the capture job has captured nothing yet', 1;
SELECT ${positionOf('@lsn')}, ${columns}
FROM ${bracket(source.schema)}.${bracket(source.table)} AS c`),
      },
      processors: [
        {
          mapping: `let binary = [${bytes}]
let values = this.without("__$generation", "__$offset").map_each(field -> ${BASE64})
meta kafka_partition = 0
meta kafka_offset = this."__$offset"
meta cdc_generation = this."__$generation" + ${GENERATION}
meta kafka_timestamp_ms = timestamp_unix_milli()
root = {
  "op": "r", "before": null, "after": $values,
  "source": {
    "name": ${name}, "db": ${database}, "schema": ${bloblangText(source.schema)}, "table": ${bloblangText(source.table)},
    "ts_ms": timestamp_unix_milli()
  }
}
`,
        },
      ],
    };
  });
  return { sequence: { inputs } };
}

/** Renders the position of an LSN, like cdc_management.lsn_position. */
function positionOf(lsn: string): string {
  return `CONVERT(bigint, SUBSTRING(${lsn}, 1, 4)) / 16384 AS [__$generation],
  CONVERT(bigint, SUBSTRING(${lsn}, 1, 4)) % 16384 * 281474976710656
    + CONVERT(bigint, SUBSTRING(${lsn}, 5, 6)) AS [__$offset]`;
}

/** Builds a source connection for go-mssqldb. Values in braces may contain separators. */
function sourceConnection({ group, feeds }: Flow): object {
  const [feed] = feeds;
  const server = feed?.server;
  const value = (text: string | undefined) => `{${text ?? ''}}`;
  const parts: Readonly<Record<string, string>> = {
    server: value(server?.host),
    port: value(server?.port),
    'user id': value(server?.user),
    password: value(server && sourcePassword(server)),
    database: value(group.pattern === 'db-per-tenant' ? '${CDC_SOURCE_DATABASE}' : feed?.database),
    encrypt: server?.encrypt === undefined ? '${CDC_SOURCE_ENCRYPT:true}' : String(server.encrypt),
    TrustServerCertificate: String(server?.trustServerCertificate ?? false),
    ...(server?.caFile !== undefined && { certificate: value(server.caFile) }),
    'app name': 'cdc-pipeline',
  };
  return {
    driver: 'mssql',
    dsn: `odbc:${Object.entries(parts)
      .map(([name, part]) => `${name}=${part}`)
      .join(';')}`,
    conn_max_open: 1,
    conn_max_idle_time: '30s',
  };
}

function sourcePassword({ password }: Server): string {
  return /^\$\{\w+\}$/.test(password) ? password : '${CDC_SOURCE_PASSWORD}';
}

/**
 * T-SQL that reads a page of changes of a table after an LSN. For each transaction it reads the last change of each
 * key, because only that one remains. It returns at least one row, with the end of the read range.
 *
 * - Of two capture instances it uses the newest that has all changes of the range.
 * - In one command, a removed row (1) never follows the row that takes its key: a command that changes keys deletes
 *   first. `__$seqval` alone does not have this order.
 * - Times in cdc.lsn_time_mapping are local to the server.
 */
const CHANGES = `DECLARE @after binary(10) = CONVERT(binary(10), ?, 1);
DECLARE @table nvarchar(max) = ?;
DECLARE @columns nvarchar(max) = ?;
DECLARE @keys nvarchar(max) = ?;
DECLARE @max binary(10) = sys.fn_cdc_get_max_lsn();
DECLARE @instance nvarchar(100) = (
  SELECT TOP (1) i.capture_instance FROM cdc.change_tables AS i
  WHERE i.source_object_id = OBJECT_ID(@table)
  ORDER BY CASE WHEN i.start_lsn <= @after THEN 0 ELSE 1 END,
    CASE WHEN i.start_lsn <= @after THEN i.create_date END DESC, i.create_date);
DECLARE @changes nvarchar(200) = N'cdc.' + QUOTENAME(@instance + N'_CT');
DECLARE @query nvarchar(max) = CONVERT(nvarchar(max), N'
DECLARE @page binary(10) = (
  SELECT ct.[__$start_lsn] FROM ') + @changes + N' AS ct
  WHERE ct.[__$start_lsn] > @after AND ct.[__$start_lsn] <= @max
  ORDER BY ct.[__$start_lsn] OFFSET ${PAGE_ROWS - 1} ROWS FETCH NEXT 1 ROWS ONLY);
DECLARE @to binary(10) = COALESCE(@page, @max);
SELECT CONVERT(varchar(22), page.read_to, 1) AS [__$read_to], @instance AS [__$instance],
  CONVERT(varchar(22), c.[__$start_lsn], 1) AS [__$start_lsn], c.[__$operation] AS [__$operation],
  ${positionOf('c.[__$start_lsn]')},
  DATEDIFF_BIG(millisecond, ''1970-01-01'',
    DATEADD(minute, -DATEPART(tzoffset, SYSDATETIMEOFFSET()), lsn.tran_end_time)) AS [__$ts_ms],
  ' + @columns + N'
FROM (SELECT @to AS read_to) AS page
LEFT JOIN (
  SELECT ct.*, ROW_NUMBER() OVER (
    PARTITION BY ct.[__$start_lsn], ' + @keys + N'
    ORDER BY ct.[__$command_id] DESC, CASE ct.[__$operation] WHEN 1 THEN 1 ELSE 0 END, ct.[__$seqval] DESC) AS [__$number]
  FROM ' + @changes + N' AS ct
  WHERE ct.[__$start_lsn] > @after AND ct.[__$start_lsn] <= @to AND ct.[__$operation] <> 3
) AS c ON c.[__$number] = 1
LEFT JOIN cdc.lsn_time_mapping AS lsn ON lsn.start_lsn = c.[__$start_lsn]
ORDER BY c.[__$start_lsn]';
IF @instance IS NULL THROW 50000, 'no change data capture of the table, or no right to see it', 1;
EXEC sp_executesql @query, N'@after binary(10), @max binary(10), @instance nvarchar(100)', @after, @max, @instance`;
