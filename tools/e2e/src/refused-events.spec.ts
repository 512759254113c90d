import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable, type Replay } from './merge-table.ts';
import { type MergeTarget, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { orderTable } from './order-linjer.fixture.ts';

const ORDERS: ReplicatedTable = {
  ...orderTable('Ordrer'),
  columns: [
    ...[
      { name: 'Bilde', type: 'bytea', sourceType: 'varbinary(max)' },
      { name: 'Dato', type: 'date', sourceType: 'date' },
      { name: 'Dov', type: 'text', sourceType: 'nvarchar(9)', sourceName: 'Døv' },
    ].map(({ name, type, sourceType, sourceName = name }) => ({
      ...{ name, type, role: 'source' as const, nullable: true },
      source: { name: sourceName, type: sourceType },
    })),
    ...orderTable('Ordrer').columns,
  ],
};
const STAGING = quoteQualified(TENANT, ORDERS.names.staging);
const FINAL = quoteQualified(TENANT, ORDERS.name);
const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';

type Row = Readonly<Record<string, unknown>>;

/** A Kafka message: the row that the pipeline builds, or bytes that it could not read. */
interface Message {
  readonly offset: number;
  readonly row: Row;
  readonly value: Uint8Array | null;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe('events that the server refuses', () => {
  let target: MergeTarget;
  let offset = 0;
  beforeAll(async () => {
    target = await startMergeTarget();
    await target.apply(ORDERS);
  });
  afterAll(() => target.stop());
  beforeEach(async () => {
    await target.reset(ORDERS);
    await target.owner`TRUNCATE cdc_management.refused_event`;
  });

  /** Builds a message of Debezium. The default is its own row. */
  function message(change: Row = {}, more: Row = {}): Message {
    const at = offset++;
    const { __cdc_operation: op = 'c', ...fields } = change;
    const after = { OrderID: at, LinjeNr: 1, Status: 'ny', Antall: 2, ...fields };
    const envelope = {
      op,
      after,
      source: { db: 'Test', table: 'Order-Linjer', ts_ms: 1767225600000 },
    };
    return {
      offset: at,
      row: { ...after, __cdc_operation: op },
      value: bytes(JSON.stringify({ ...envelope, ...more })),
    };
  }

  /** Inserts like a pipeline: keeps what the server refuses with its error, and continues. */
  async function consume(sink: Sql, { offset: at, row, value }: Message): Promise<void> {
    const metadata = {
      _customer_id: CUSTOMER,
      __source_db: 'Test',
      __source_table: 'Order-Linjer',
    };
    const staged = { ...row, ...metadata, __kafka_partition: 0, __kafka_offset: at };
    const names = Object.keys(staged);
    const parameters = names.map((_, n) => `$${n + 1}`).join(', ');
    try {
      await sink.unsafe(
        `INSERT INTO ${STAGING} (${names.map(quoteIdentifier).join(', ')}) VALUES (${parameters})`,
        Object.values(staged) as string[],
      );
    } catch (error) {
      await sink`INSERT INTO cdc_management.refused_event (schema_name, table_name, topic, kafka_partition,
          kafka_offset, key, value, added_values, error)
        VALUES (${TENANT}, ${ORDERS.name}, 'test.dbo.Order-Linjer', 0, ${at},
          ${bytes('{"OrderID":1}')}, ${value}, ${JSON.stringify({ _customer_id: CUSTOMER })}, ${String(error)})`;
    }
  }

  async function replay(...leftOut: readonly string[]): Promise<Replay> {
    return await target.owner.begin('isolation level repeatable read', async (transaction) => {
      const [counts] = await transaction<Replay[]>`
        SELECT replayed::integer, merged::integer, deleted::integer, stale::integer, dead::integer
        FROM cdc_management.replay_refused_events(${TENANT}, ${ORDERS.name}, 1000000, 1000, ${`{${leftOut.join(',')}}`})`;
      return counts!;
    });
  }

  const refused = async () =>
    (
      await target.owner<{ error: string }[]>`
        SELECT error FROM cdc_management.refused_event ORDER BY refused_event_id`
    ).map(({ error }) => error);
  const dead = async () =>
    (
      await target.owner<{ reason: string }[]>`
        SELECT reason FROM cdc_management.dead_letter ORDER BY dead_letter_id`
    ).map(({ reason }) => reason);
  const rows = async () => [
    ...(await target.owner.unsafe(
      `SELECT "Status" AS status, "Notat" AS note, "__kafka_offset"::int AS at FROM ${FINAL} ORDER BY 3`,
    )),
  ];

  /** Each kind of poison, with the expected error of the INSERT or reason of the dead letter. */
  const POISONED: readonly (readonly [string, () => Message, RegExp])[] = [
    ['a NUL in a text', () => message({ Notat: 'a\u0000b' }), /invalid byte sequence.*0x00/],
    ['a NUL in a status', () => message({ Status: '\u0000' }), /invalid byte sequence.*0x00/],
    ['a NUL in a short text', () => message({ Tekst: '\u0000x' }), /invalid byte sequence/],
    ['bytes that are no UTF-8', () => broken([0xff, 0xfe]), /invalid byte sequence/],
    ['UTF-8 that is cut off', () => broken([0xc3]), /invalid byte sequence/],
    ['a surrogate as UTF-8', () => broken([0xed, 0xa0, 0x80]), /invalid byte sequence/],
    [
      'a text that is too long',
      () => message({ Tekst: 'x'.repeat(11) }),
      /"?Tekst"?: value too long/,
    ],
    ['a status that is too long', () => message({ Status: 'x'.repeat(2000) }), /value too long/],
    ['a number that is too long', () => message({ Beløp: '12345.6' }), /numeric field overflow/],
    ['a number out of range', () => message({ Antall: 70000 }), /smallint out of range/],
    [
      'a key beyond bigint',
      () => message({ OrderID: '9'.repeat(30) }),
      /out of range for type bigint/,
    ],
    ['an unknown column', () => message({ Ny: 1 }), /column "Ny" of relation .* does not exist/],
    ['an unknown column in ASCII', () => message({ Belop: 1 }), /column "Belop" .* does not exist/],
    [
      'a column in another case',
      () => message({ orderid: 1 }),
      /column "orderid" .* does not exist/,
    ],
    ['an unknown operation', () => message({ __cdc_operation: 'x' }), /unknown operation 'x'/],
    ['a message', () => message({ __cdc_operation: 'm' }), /is a message/],
    ['a TRUNCATE', () => message({ __cdc_operation: 't' }), /is a TRUNCATE/],
    ['no operation', () => message({ __cdc_operation: null }), /unknown operation NULL/],
    [
      'a word for a number',
      () => message({ Antall: 'many' }),
      /invalid input syntax for type bigint/,
    ],
    ['no key', () => message({ OrderID: null }), /missing key column "OrderID"/],
    ['broken JSON', () => message({ Data: '{"a":' }), /invalid input syntax for type json/],
    ['broken XML', () => message({ Dokument: '<a>' }), /invalid XML content/],
  ];

  /** Builds bytes that are no valid text. The pipeline passes them on unchanged. */
  function broken(of: readonly number[]): Message {
    const sent = message({ Notat: 'bytes' });
    const [before, after] = Buffer.from(sent.value!).toString('latin1').split('bytes');
    const poison = Buffer.from(of);
    return {
      ...sent,
      row: { ...sent.row, Notat: poison },
      value: new Uint8Array(
        Buffer.concat([Buffer.from(before!, 'latin1'), poison, Buffer.from(after!, 'latin1')]),
      ),
    };
  }

  it('are kept with their errors, and do not stop other events', async () => {
    expect(POISONED.length).toBeGreaterThanOrEqual(20);
    const expected = new Map<number, readonly [string, RegExp]>();
    for (const [name, poison, reason] of POISONED) {
      const bad = poison();
      expected.set(bad.offset, [name, reason]);
      if (Buffer.isBuffer(bad.row['Notat'])) await keepBroken(target.sink, bad);
      else await consume(target.sink, bad);
      await consume(target.sink, message());
    }
    await mergeTable(target.sink, TENANT, ORDERS);
    expect(await rows()).toHaveLength(POISONED.length);
    const found = await target.owner<{ at: number; reason: string }[]>`
      SELECT kafka_offset::integer AS at, error AS reason FROM cdc_management.refused_event
      UNION ALL SELECT kafka_offset::integer, reason FROM cdc_management.dead_letter`;
    expect(found.map(({ at }) => at).sort((a, b) => a - b)).toEqual([...expected.keys()]);
    for (const { at, reason } of found) {
      const [name, known] = expected.get(at)!;
      expect(`${name}: ${reason}`).toMatch(known);
    }
    expect([
      ...(await target.sink`SELECT schema_name, table_name, topic, events::int FROM cdc_management.refused_events`),
    ]).toEqual([
      {
        schema_name: TENANT,
        table_name: ORDERS.name,
        topic: 'test.dbo.Order-Linjer',
        events: (await refused()).length,
      },
    ]);
  });

  /** Sends invalid text bytes, which the server refuses on input. JavaScript drivers cannot send them as text. */
  async function keepBroken(sink: Sql, { offset: at, row, value }: Message): Promise<void> {
    const hex = (row['Notat'] as Buffer).toString('hex');
    const error: unknown = await sink
      .unsafe(`SELECT convert_from('\\x${hex}', 'UTF8')`)
      .then(() => new Error('taken'))
      .catch((reason: unknown) => reason);
    await sink`INSERT INTO cdc_management.refused_event (schema_name, table_name, topic, kafka_partition, kafka_offset,
        value, error)
      VALUES (${TENANT}, ${ORDERS.name}, 'test.dbo.Order-Linjer', 0, ${at}, ${value}, ${String(error)})`;
  }

  it('are merged by a replay after their cause is fixed, and are kept with the new reason until then', async () => {
    const unknown = message({ Ny: 'value', Notat: 'lang' });
    const nul = message({ Notat: 'a\u0000b' });
    const long = message({ Antall: 'many' });
    for (const sent of [unknown, nul, long]) await consume(target.sink, sent);
    expect(await replay()).toEqual({ replayed: 3, merged: 0, deleted: 0, stale: 0, dead: 3 });
    const kept = await refused();
    expect(kept).toEqual([
      'cannot be replayed: staging table "stg_Ordrer" has no column "Ny" (SQLSTATE 42703)',
      'cannot be replayed: unsupported Unicode escape sequence (SQLSTATE 22P05)',
    ]);
    expect(await dead()).toEqual([
      expect.stringMatching(/cannot be staged: invalid input syntax for type bigint: "many"/),
    ]);
    expect(await replay('Ny')).toEqual({ replayed: 2, merged: 1, deleted: 0, stale: 0, dead: 1 });
    expect(await rows()).toEqual([{ status: 'ny', note: 'lang', at: unknown.offset }]);
    const [stored] = await target.owner.unsafe(
      `SELECT "_customer_id" AS customer, "__source_db" AS db, "__source_ts_ms"::text AS ts FROM ${FINAL}`,
    );
    expect(stored).toEqual({ customer: CUSTOMER, db: 'Test', ts: '1767225600000' });
    expect(await refused()).toHaveLength(1);
  });

  it.each<[string, Row, boolean]>([
    ['of a Debezium envelope', {}, true],
    ['of a Debezium envelope with its schema', { schema: {}, payload: null }, true],
    [
      'of a delete with the row before it',
      { op: 'd', before: { OrderID: 7, LinjeNr: 1 }, after: null },
      false,
    ],
  ])('can be replayed in the form %s', async (_form, more, isThere) => {
    const sent = message({ OrderID: 7 });
    const envelope = JSON.parse(Buffer.from(sent.value!).toString()) as Row;
    const value = 'payload' in more ? { ...more, payload: envelope } : { ...envelope, ...more };
    await consume(target.sink, message({ OrderID: 7 }));
    await mergeTable(target.sink, TENANT, ORDERS);
    await consume(target.sink, {
      offset: offset++,
      row: { nothing: 1 },
      value: bytes(JSON.stringify(value)),
    });
    expect(await replay()).toMatchObject({ replayed: 1, dead: 0 });
    expect(await rows()).toHaveLength(isThere ? 1 : 0);
  });

  it('can be replayed as a flat row, with bytes in base64 and column names of the source', async () => {
    const flat = { OrderID: 8, LinjeNr: 1, Status: 'flat', __op: 'u', __deleted: 'false' };
    const value = bytes(JSON.stringify({ ...flat, Bilde: '3q2+7w==', Døv: 'ja' }));
    await consume(target.sink, { offset: offset++, row: { no: 1 }, value });
    expect(await replay()).toMatchObject({ replayed: 1, merged: 1 });
    const [stored] = await target.owner.unsafe(
      `SELECT "Status" AS status, encode("Bilde", 'hex') AS picture, "Dov" AS deaf FROM ${FINAL}`,
    );
    expect(stored).toEqual({ status: 'flat', picture: 'deadbeef', deaf: 'ja' });
  });

  it.each<[string, Row | string | null, string]>([
    [
      'a number for a date',
      { Dato: 20240101 },
      'column "Dato": expected a string for type date, found 20240101 (SQLSTATE 42804)',
    ],
    [
      'invalid base64',
      { Bilde: '=' },
      'unexpected "=" while decoding base64 sequence (SQLSTATE 22023)',
    ],
    ['a list', '[1]', 'expected a JSON object, found array (SQLSTATE 22000)'],
    ['invalid JSON', 'x', 'invalid input syntax for type json (SQLSTATE 22P02)'],
    ['a missing value', null, 'the event has no value (SQLSTATE 22000)'],
    ['a missing row', '{"op":"u","after":null}', 'operation "u" without a row (SQLSTATE 22000)'],
  ])('are kept and not merged because of %s', async (_why, change, reason) => {
    const sent = message(typeof change === 'object' && change !== null ? change : {});
    const value = typeof change === 'string' ? bytes(change) : change === null ? null : sent.value;
    await consume(target.sink, { ...sent, row: { no: 1 }, value });
    expect(await replay()).toMatchObject({ replayed: 1, dead: 1 });
    expect(await refused()).toEqual([`cannot be replayed: ${reason}`]);
    expect([await rows(), await dead()]).toEqual([[], []]);
  });

  it('are deleted after the retention time of dead letters', async () => {
    await consume(target.sink, message({ Notat: '\u0000' }));
    await target.owner`UPDATE cdc_management.refused_event SET refused_at = now() - interval '91 days'`;
    await target.owner`SELECT cdc_management.clean_up()`;
    expect(await refused()).toEqual([]);
  });
});
