import { readFileSync, writeFileSync } from 'node:fs';
import type { SourceType } from '@cdc-migrations/catalog';
import { mergeAll } from '../../e2e/src/merge-table.ts';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import { buildTable } from '@cdc-migrations/table-fixture';
import {
  type ColumnDefinition,
  type ReplicatedTable,
  stagingType,
} from '@cdc-migrations/table-defs';
import {
  type MergeTarget,
  SINK,
  startMergeTarget,
  TENANT,
} from '../../e2e/src/merge-target.fixture.ts';
import { BUILT_WITHIN_MS, describeWire } from './programs.ts';
import { SCHEMAS_IN_POSTGRES, SENT_BY_POSTGRES } from './sent-by-postgres.ts';
import { SENT_BY_SQL_SERVER } from './sent-by-sqlserver.ts';
import type { SentValue } from './sent-value.ts';
import {
  describeColumn,
  type Modes,
  MODES,
  modeOf,
  mssqlSchema,
  pqBind,
  type WriterName,
} from './stored-values.fixture.ts';
import { bindAsConfluent, bindAsDebezium, type SinkBind } from './sink-binds.ts';
import {
  type Inserted,
  type JdbcBind,
  startJdbcWriter,
  startPqWriter,
  type Writer,
} from './writers.ts';

const EXPECTED = new URL('../expected/stored-values.txt', import.meta.url);
const ID: ColumnDefinition = { name: 'id', role: 'source', type: 'integer', nullable: false };

interface Case {
  readonly source: SourceType;
  readonly row: SentValue;
  readonly mode: string;
  readonly sent: string;
  readonly column: ColumnDefinition;
}

/** Values that the connector changes. The changed value is stored. */
const WRONG_AT_SOURCE =
  /^datetimeoffset.*(0001-|1582-|1969-)|^(date|timestamp) .*(5874897|294276)|^timetz |^time '24:00|^bit varying\(64\) B'(0|')|^interval .*(year|mon)/;

/**
 * Values that a JDBC sink or pgjdbc changes: it rounds the seventh fractional digit, has no infinite date, reads bits
 * in reverse, and has another calendar before 1582.
 */
const WRONG_BY_DRIVER: Readonly<Record<WriterName, RegExp>> = {
  bento: /^$/,
  'debezium-jdbc': /\.\d{7}|^(date|timestamp) '-?infinity|^bit(\(10| varying)/,
  'confluent-jdbc': /^(date|timestamp)\S* ('?[01]|'-?infinity).* connect$/,
};

function buildCases(source: SourceType, modes: Modes, writer: WriterName): readonly Case[] {
  const rows = source === 'mssql' ? SENT_BY_SQL_SERVER : SENT_BY_POSTGRES;
  return rows.flatMap((row, n) => {
    const mode = modeOf(row, modes);
    const sent = row.sends[mode];
    const column = describeColumn(row, source, `c${n}`, modes, writer);
    return sent === undefined || !column ? [] : [{ source, row, mode, sent, column }];
  });
}

describeWire('values that Debezium sends, written by real drivers', () => {
  let target: MergeTarget;
  let pq: Writer<ReturnType<typeof pqBind>>;
  let jdbc: Writer<JdbcBind>;
  const lines: string[] = [];
  beforeAll(async () => {
    target = await startMergeTarget();
    const { server, database } = target;
    const login = { port: server.port, database, user: SINK, password: SINK };
    pq = await startPqWriter(login);
    jdbc = await startJdbcWriter(login);
    await target.owner`SET timezone = 'UTC'`;
  }, BUILT_WITHIN_MS);
  afterAll(async () => {
    await pq?.stop();
    await jdbc?.stop();
    await target?.stop();
  });

  const runs = (['mssql', 'postgres'] as const).flatMap((source) =>
    (['bento', 'debezium-jdbc', 'confluent-jdbc'] as const).flatMap((writer) =>
      MODES.map((modes) => [source, writer, Object.values(modes).join(', '), modes] as const),
    ),
  );

  it.each(runs)(
    'of %s are stored by %s, %s, and none is wrong or lost',
    async (source, writer, _name, modes) => {
      const cases = buildCases(source, modes, writer);
      const columns = cases.map(({ column }) => column);
      const table = buildTable({ name: `Values ${lines.length}`, columns: [ID, ...columns] });
      await target.apply(table);
      const inserted = await writeAll(table, cases, modes, writer);
      await mergeAll(target.sink, target.owner, TENANT, table);
      for (const [n, each] of cases.entries()) {
        const outcome = await outcomeOf(target, table, n, each, inserted[n]!, writer);
        const { row, mode, sent } = each;
        expect(`${row.type} ${row.value} (${mode}) ${sent}: ${outcome}`).not.toMatch(/: WRONG/);
        lines.push([source, row.type, mode, writer, row.value, sent, outcome].join('\t'));
      }
    },
  );

  async function writeAll(
    { names }: ReplicatedTable,
    cases: readonly Case[],
    modes: Modes,
    writer: WriterName,
  ): Promise<readonly Inserted[]> {
    const results: Inserted[] = [];
    for (const [n, each] of cases.entries()) {
      const insert = {
        ...{ schema: TENANT, table: names.staging },
        columns: ['id', each.column.name, '__cdc_operation', '__kafka_partition', '__kafka_offset'],
      };
      const id = String(n);
      if (writer === 'bento') {
        const operation = { bind: 'string', value: 'c' } as const;
        const row = [number(id), pqBind(each.sent), operation, number('0'), number(id)];
        results.push(await pq.insert({ ...insert, rows: [row] }));
        continue;
      }
      const bound = bindOf(each, modes, writer);
      if (bound instanceof Error) {
        results.push({ ok: false, message: bound.message });
        continue;
      }
      const operation = { bind: 'setString', value: 'c' } as const;
      const row = [long(id), bound.bind, operation, long('0'), long(id)];
      const casts = bound.cast === undefined ? {} : { casts: { [each.column.name]: bound.cast } };
      results.push(await jdbc.insert({ ...insert, ...casts, rows: [row] }));
    }
    return results;
  }

  it('have the expected outcomes in at least 600 cases', () => {
    expect(lines.length).toBeGreaterThan(600);
    const text = lines.map((line) => `${line.replaceAll('\n', '\\n')}\n`).join('');
    if (process.env['UPDATE_CASES']) writeFileSync(EXPECTED, text);
    expect(text).toBe(readFileSync(EXPECTED, 'utf8'));
  });
});

const number = (value: string) => ({ bind: 'number', value }) as const;
const long = (value: string) => ({ bind: 'setLong', value }) as const;

/**
 * Binds a value for the staging column like a sink of Kafka Connect. Returns an error if the sink refuses the value.
 */
function bindOf(
  { source, row, mode, sent, column }: Case,
  modes: Modes,
  writer: WriterName,
): SinkBind | Error {
  const schemas = SCHEMAS_IN_POSTGRES[row.type] ?? {};
  const schema =
    source === 'mssql' ? mssqlSchema(row, modes) : (schemas[mode] ?? schemas['any'] ?? 'string');
  const field = { schema, json: sent, column: stagingType(column).replace(/\(.*\)/, '') };
  try {
    return writer === 'debezium-jdbc' ? bindAsDebezium(field) : bindAsConfluent(field);
  } catch (error) {
    return error as Error;
  }
}

/** Returns the outcome of a value. WRONG means that the row differs from the source. */
async function outcomeOf(
  { owner }: MergeTarget,
  table: ReplicatedTable,
  id: number,
  { source, row, mode, sent, column }: Case,
  inserted: Inserted,
  writer: WriterName,
): Promise<string> {
  if (!inserted.ok) return `refused ${inserted.sqlstate ?? 'by the driver'}`;
  const name = quoteIdentifier(column.name);
  const truth = truthOf(source, row, column.type);
  const comparable = column.type === 'json' || column.type === 'xml' ? '::text' : '';
  const [stored] = await owner.unsafe<{ text: string | null; exact: boolean; cut: boolean }[]>(
    `SELECT ${name}::text AS text, ${name}${comparable} IS NOT DISTINCT FROM (${truth})${comparable} AS exact,
       ${name}::text = regexp_replace((${truth})::text, '([.][0-9]{3})[0-9]+', '\\1') AS cut
     FROM ${quoteQualified(TENANT, table.name)} WHERE id = ${id}`,
  );
  if (!stored) return await readReason(owner, table, id);
  if (stored.exact) return 'exact';
  if (sent === 'null') return 'NULL, as sent';
  if (mode === 'connect' && stored.cut) return `cut ${stored.text}`;
  if (mode === 'double' && isNear(Number(stored.text), Number(JSON.parse(sent))))
    return `rounded ${stored.text}`;
  if (mode === 'any' && Number(stored.text) === Number(JSON.parse(sent)))
    return `as sent ${stored.text}`;
  if (WRONG_BY_DRIVER[writer].test(`${row.type} ${row.value} ${mode}`))
    return `by the driver ${stored.text}`;
  return `${WRONG_AT_SOURCE.test(`${row.type} ${row.value}`) ? 'as sent' : 'WRONG'} ${stored.text}`;
}

/** Checks equality in 15 digits. */
function isNear(one: number, other: number): boolean {
  return one === other || Math.abs(one - other) <= Math.abs(other) * 1e-14;
}

async function readReason(
  owner: MergeTarget['owner'],
  { name }: ReplicatedTable,
  id: number,
): Promise<string> {
  const [deadLetter] = await owner<{ reason: string }[]>`
    SELECT reason FROM cdc_management.dead_letter WHERE table_name = ${name} AND kafka_offset = ${id}`;
  return deadLetter ? `dead letter: ${deadLetter.reason.replace(/c\d+/g, 'c')}` : 'WRONG: gone';
}

/** Renders SQL for the source value as stored in the final column. */
function truthOf(source: SourceType, { type, value }: SentValue, finalType: string): string {
  if (source === 'postgres') return `(${value})::${type}::${finalType}`;
  if (finalType === 'bytea') return `decode(${quoteLiteral(value)}, 'base64')`;
  const isTime = /^(date|time)/.test(finalType);
  const text = isTime ? value.replace(/(\.\d{6})\d/, '$1') : value;
  return `${quoteLiteral(text)}::${finalType}`;
}
