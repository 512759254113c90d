import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import type { PipelineSettings } from '@cdc-migrations/config';
import { wireText } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import { buildTable } from '@cdc-migrations/table-fixture';
import {
  formatSourceType,
  formOf,
  mapType,
  resolveEvents,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { mergeAll } from './merge-table.ts';
import { type MergeTarget, startMergeTarget, TENANT } from './merge-target.fixture.ts';

/** A source column, values of it as PostgreSQL writes them, and the stored values if they differ. */
interface Sample {
  readonly type: string;
  readonly facets?: Partial<CatalogColumn>;
  readonly values: readonly (string | readonly [sent: string, stored: string])[];
}

const SECONDS_7: Sample['values'] = [
  '0001-01-01 00:00:00',
  ['9999-12-31 23:59:59.9999999', '9999-12-31 23:59:59.999999'],
  ['1969-12-31 23:59:59.9999999', '1969-12-31 23:59:59.999999'],
  ['2024-02-29 12:34:56.1234567', '2024-02-29 12:34:56.123456'],
];
const BYTES = ['\\x', '\\x00', '\\xff', '\\xdeadbeef00', `\\x${'7f'.repeat(100)}`, '\\xfbffbf'];

const MSSQL: readonly Sample[] = [
  { type: 'date', values: ['0001-01-01', '9999-12-31', '1970-01-01', '1969-12-31', '2020-12-30'] },
  ...[0, 3, 6].map((scale) => ({
    type: 'time',
    facets: { scale },
    values: ['00:00:00', `23:59:59${scale === 0 ? '' : `.${'9'.repeat(scale)}`}`],
  })),
  {
    type: 'time',
    facets: { scale: 7 },
    values: ['00:00:00', ['23:59:59.9999999', '23:59:59.999999']],
  },
  {
    type: 'smalldatetime',
    values: ['1900-01-01 00:00:00', '2079-06-06 23:59:00', '1969-12-31 23:59:00'],
  },
  {
    type: 'datetime',
    values: [
      '1753-01-01 00:00:00',
      '9999-12-31 23:59:59.997',
      '1969-12-31 23:59:59.997',
      '2024-03-31 02:30:00.003',
    ],
  },
  ...[0, 3, 6].map((scale) => ({
    type: 'datetime2',
    facets: { scale },
    values: [
      '0001-01-01 00:00:00',
      `9999-12-31 23:59:59${scale === 0 ? '' : `.${'9'.repeat(scale)}`}`,
      `1969-12-31 23:59:59${scale === 0 ? '' : `.${'1'.repeat(scale)}`}`,
    ],
  })),
  { type: 'datetime2', facets: { scale: 7 }, values: SECONDS_7 },
  {
    type: 'datetimeoffset',
    facets: { scale: 7 },
    values: [
      ['2024-10-27 02:30:00.1234567+02:00', '2024-10-27 00:30:00.123456'],
      ['0001-01-01 00:00:00+00:00', '0001-01-01 00:00:00'],
      ['9999-12-31 23:59:59.9999999+00:00', '9999-12-31 23:59:59.999999'],
    ],
  },
  {
    type: 'datetimeoffset',
    facets: { scale: 3 },
    values: [['2024-10-27 02:30:00.123-03:30', '2024-10-27 06:00:00.123']],
  },
  {
    type: 'decimal',
    facets: { precision: 38, scale: 0 },
    values: ['0', '-1', `${'9'.repeat(38)}`, `-${'9'.repeat(38)}`, '128', '-128', '-129', '255'],
  },
  {
    type: 'decimal',
    facets: { precision: 38, scale: 38 },
    values: [`0.${'9'.repeat(38)}`, `-0.${'0'.repeat(37)}1`],
  },
  {
    type: 'decimal',
    facets: { precision: 18, scale: 2 },
    values: [
      '0.00',
      '-0.01',
      '9999999999999999.99',
      '-9999999999999999.99',
      '72057594037927936.00'.slice(3),
    ],
  },
  { type: 'money', values: ['922337203685477.5807', '-922337203685477.5808', '0.0001'] },
  { type: 'smallmoney', values: ['214748.3647', '-214748.3648'] },
  { type: 'binary', facets: { length: 8 }, values: ['\\x0000000000000001', '\\xffffffffffffffff'] },
  { type: 'varbinary', facets: { length: 'max' }, values: BYTES },
  { type: 'rowversion', values: ['\\x00000000000007d1'] },
  { type: 'bigint', values: ['9223372036854775807', '-9223372036854775808', '9007199254740993'] },
  { type: 'int', values: ['2147483647', '-2147483648'] },
  { type: 'tinyint', values: ['0', '255'] },
  { type: 'uniqueidentifier', values: ['0a827150-1332-5167-993b-68db156438cb'] },
  {
    type: 'nvarchar',
    facets: { length: 'max' },
    values: ['Blåbærsyltetøy', '', "it's \\ {x}", '20240101'],
  },
];

const POSTGRES: readonly Sample[] = [
  { type: 'date', values: ['0001-01-01', '9999-12-31', '1969-12-31', '12024-01-01'] },
  { type: 'time without time zone', values: ['00:00:00', '23:59:59.999999', '24:00:00'] },
  { type: 'time without time zone', facets: { scale: 2 }, values: ['23:59:59.99'] },
  {
    type: 'timestamp without time zone',
    values: ['0001-01-01 00:00:00', '1969-12-31 23:59:59.999999', '2262-04-11 23:47:16.854776'],
  },
  { type: 'timestamp without time zone', facets: { scale: 0 }, values: ['1969-12-31 23:59:59'] },
  {
    type: 'timestamp with time zone',
    values: [['2024-03-31 01:30:00.123456+00:00', '2024-03-31 01:30:00.123456']],
  },
  {
    type: 'numeric',
    values: ['0', '-1.50', `${'9'.repeat(60)}.000000000000000000000001`, '0.000'],
  },
  { type: 'numeric', facets: { precision: 12, scale: 2 }, values: ['-9999999999.99', '1.28'] },
  { type: 'money', values: ['-92233720368547758.08', '92233720368547758.07'] },
  { type: 'bytea', values: BYTES },
  { type: 'interval', values: [] },
];

const TIME_MODES = [
  'adaptive',
  'adaptive_time_microseconds',
  'microseconds',
  'nanoseconds',
  'connect',
  'isostring',
  'rfc3339',
] as const;

/** All settings that differ for a kind of value. */
const SETTINGS: readonly PipelineSettings[] = [
  ...TIME_MODES.map((time) => ({ time })),
  ...(['precise', 'string', 'double'] as const).map((decimal) => ({ decimal })),
  ...(['bytes', 'base64', 'base64-url-safe', 'hex'] as const).map((binary) => ({ binary })),
  ...(['debezium', 'recommended', 'bento-sql-raw'] as const).map((events) => ({ events })),
];

const UNIT_DIGITS: Readonly<Record<string, number>> = {
  milliseconds: 3,
  microseconds: 6,
  nanoseconds: 9,
};

const ID: ColumnDefinition = { name: 'id', role: 'source', type: 'integer', nullable: false };

const NARROW: ColumnDefinition = {
  ...{ name: 'narrow', role: 'source', type: 'character varying(1)', nullable: true },
};

interface Case {
  readonly column: ColumnDefinition;
  readonly sent: string;
  readonly stored: string | undefined;
}

function buildColumn(
  source: SourceType,
  { type, facets }: Sample,
  settings: PipelineSettings,
  name = 'c',
): ColumnDefinition {
  const events = resolveEvents({ writer: 'bento', ...settings })!;
  const column: CatalogColumn = { name, type, nullable: true, ...facets };
  const mapped = mapType(source, column, { overrides: undefined, table: 'dbo.T' })!;
  const form = formOf(column, source, mapped.type, events);
  return {
    ...{ name, role: 'source', type: mapped.type, nullable: true },
    source: { name, type: formatSourceType(column) },
    ...(form && { form }),
  };
}

function buildCases(source: SourceType, samples: readonly Sample[], settings: PipelineSettings) {
  return samples.flatMap((sample, n): readonly Case[] => {
    const column = buildColumn(source, sample, settings, `c${n}`);
    const { form } = column;
    return sample.values.map((value) => {
      const [full, kept] = typeof value === 'string' ? [value, value] : value;
      const sent = form ? wireText(full, form) : full;
      return { column, sent, stored: expectedOf(kept, sent, form) };
    });
  });
}

/** Returns the value that a form keeps, or undefined if the pipeline cannot send the value. */
function expectedOf(kept: string, sent: string, form: string | undefined): string | undefined {
  const digits = form === undefined ? undefined : UNIT_DIGITS[form];
  if (digits === undefined) return kept;
  if (BigInt.asIntN(64, BigInt(sent)) !== BigInt(sent)) return undefined;
  return kept.replace(/(\.\d*)$/, (fraction) => fraction.slice(0, digits + 1));
}

describe.each([
  ['SQL Server', 'mssql', MSSQL],
  ['PostgreSQL', 'postgres', POSTGRES],
] as const)('every value of %s in every form', (_source, type, samples) => {
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget();
  });
  afterAll(() => target.stop());

  const ways = SETTINGS.flatMap((settings) => [
    [JSON.stringify(settings), 'alone', settings] as const,
    [JSON.stringify(settings), 'beside an event that is refused', settings] as const,
  ]);

  it.each(ways)(
    'with %s, %s: is stored exactly, or is a dead letter',
    async (_name, situation, settings) => {
      const cases = buildCases(type, samples, settings);
      const columns = [...new Map(cases.map(({ column }) => [column.name, column])).values()];
      const table = buildTable({
        name: `Values${SETTINGS.indexOf(settings)} ${situation}`,
        columns: [ID, NARROW, ...columns],
      });
      await target.apply(table);
      for (const [n, { column, sent }] of cases.entries()) {
        await stageText(target, table, n, column, sent);
      }
      if (situation !== 'alone') await stageText(target, table, 100_000, NARROW, 'xx');
      await mergeAll(target.sink, target.owner, TENANT, table);
      const found = await readStored(target, table, cases);
      expect(found).toEqual(
        cases.map(({ column, sent, stored }) => ({
          type: `${column.source!.type} as ${column.form}: ${sent}`,
          stored: stored === undefined ? expect.anything() : stored,
        })),
      );
    },
    60_000,
  );
});

/** Values that Debezium 3.6 sends for PostgreSQL values outside the range of its forms, and the stored values. */
const FAR: readonly (readonly [
  type: string,
  settings: PipelineSettings,
  sent: string,
  stored: string,
])[] = [
  ['date', { time: 'adaptive' }, '-2147472692', 'infinity'],
  ['date', { time: 'adaptive' }, '-622191234', 'infinity'],
  ['date', { time: 'adaptive' }, '-2147472691', '-infinity'],
  ['date', { time: 'adaptive' }, '-625821272', '-infinity'],
  ['date', { time: 'adaptive' }, '-735160', '0044-03-15 BC'],
  ['date', { time: 'isostring' }, '-5877611-06-21Z', 'infinity'],
  ['date', { time: 'isostring' }, '+292278994-08-16Z', 'infinity'],
  ['date', { time: 'isostring' }, '-5877611-06-22Z', '-infinity'],
  ['date', { time: 'isostring' }, '+292269055-12-02Z', '-infinity'],
  ['date', { time: 'isostring' }, '-0043-03-15Z', '0044-03-15 BC'],
  ['date', { time: 'isostring' }, '+12024-01-01Z', '12024-01-01'],
  ['timestamp without time zone', { time: 'adaptive' }, '9223372036825200000', 'infinity'],
  ['timestamp without time zone', { time: 'adaptive' }, '-9223372036832400000', '-infinity'],
  ['timestamp without time zone', { time: 'connect' }, '9223372036825200', 'infinity'],
  ['timestamp without time zone', { time: 'connect' }, '-9223372036832400', '-infinity'],
  ['timestamp without time zone', { time: 'nanoseconds' }, '9223372036854775807', 'infinity'],
  ['timestamp without time zone', { time: 'nanoseconds' }, '-9223372036854775808', '-infinity'],
  ['timestamp without time zone', { time: 'isostring' }, '+294247-01-10T04:00:25.2Z', 'infinity'],
  ['timestamp without time zone', { time: 'isostring' }, '-290308-12-21T19:59:27.6Z', '-infinity'],
  [
    'timestamp without time zone',
    { time: 'isostring' },
    '-0043-03-15T12:00:00Z',
    '0044-03-15 12:00:00 BC',
  ],
  ['timestamp with time zone', { time: 'adaptive' }, 'infinity', 'infinity'],
  [
    'timestamp with time zone',
    { time: 'adaptive' },
    '-0043-03-15T12:00:00.000000Z',
    '0044-03-15 12:00:00 BC',
  ],
  ['time with time zone', { time: 'adaptive' }, '08:23:45.123456Z', '08:23:45.123456+00'],
  ['numeric', { decimal: 'string' }, 'NAN', 'NaN'],
  ['numeric', { decimal: 'string' }, 'POSITIVE_INFINITY', 'Infinity'],
  ['numeric', { decimal: 'string' }, 'NEGATIVE_INFINITY', '-Infinity'],
  ['numeric', { decimal: 'double' }, 'NaN', 'NaN'],
  ['numeric', { decimal: 'precise' }, '{"scale":1,"value":"8Q=="}', '-1.5'],
  ['interval', { interval: 'numeric' }, '37091106789012', '10303:05:06.789012'],
  ['interval', { interval: 'string' }, 'P-1Y-2M3DT-4H-5M-6S', '-1 years -2 mons +3 days -04:05:06'],
  ['interval', { interval: 'string' }, 'P0Y0M0DT0H0M0.000001S', '00:00:00.000001'],
];

describe('values that Debezium sends for PostgreSQL values out of range', () => {
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget();
  });
  afterAll(() => target.stop());

  it.each(FAR.map((far, n) => [...far, n] as const))(
    '%s with %j: %s is stored as %s',
    async (type, settings, sent, stored, n) => {
      const column = { ...buildColumn('postgres', { type, values: [] }, settings), name: 'c' };
      const table = buildTable({ name: `Far${n}`, columns: [ID, NARROW, column] });
      await target.apply(table);
      await stageText(target, table, 0, column, sent);
      await mergeAll(target.sink, target.owner, TENANT, table);
      expect(await readStored(target, table, [{ column, sent, stored }])).toEqual([
        { type: `${column.source!.type} as ${column.form}: ${sent}`, stored },
      ]);
      await stageText(target, table, 1, column, sent);
      await stageText(target, table, 2, NARROW, 'xx');
      await mergeAll(target.sink, target.owner, TENANT, table);
      const rows = await target.owner.unsafe(
        `SELECT id FROM ${quoteQualified(TENANT, table.name)} ORDER BY id`,
      );
      expect(rows).toEqual([{ id: 0 }, { id: 1 }]);
    },
  );
});

/** A value that does not match its form, and the reason in the dead letter. */
const WRONG: readonly (readonly [
  type: string,
  settings: PipelineSettings,
  sent: string,
  reason: RegExp,
])[] = [
  [
    'datetime',
    { time: 'adaptive' },
    '253402300800000',
    /column c: expected milliseconds since 1970, found 253402300800000/,
  ],
  ['datetime', { time: 'isostring' }, '20240101', /expected a time of ISO 8601, found 20240101/],
  ['datetime', { time: 'isostring' }, '2024-02-30T00:00:00Z', /out of range.*22008/],
  [
    'datetime',
    { time: 'isostring' },
    '1704067200000',
    /expected a time of ISO 8601, found 1704067200000/,
  ],
  ['date', { time: 'isostring' }, '20240101', /expected a date of ISO 8601, found 20240101/],
  ['date', { time: 'isostring' }, '19723', /expected a date of ISO 8601, found 19723/],
  [
    'date',
    { time: 'isostring' },
    '2024-01-01T10:00:00Z',
    /column c: expected a date of ISO 8601, found 2024-01-01T10:00:00Z/,
  ],
  ['date', { time: 'adaptive' }, '20240101', /expected days since 1970, found 20240101/],
  ['date', { time: 'adaptive' }, '2147483648', /expected days since 1970, found 2147483648/],
  ['time', { time: 'isostring' }, '101112', /expected a time of ISO 8601, found 101112/],
  [
    'time',
    { time: 'adaptive' },
    '86400000000000',
    /expected nanoseconds since midnight, found 86400000000000/,
  ],
  ['time', { time: 'microseconds' }, '-1', /expected microseconds since midnight, found -1/],
  [
    'time',
    { time: 'rfc3339' },
    '10:11:12',
    /column c: expected a time of RFC 3339, found 10:11:12/,
  ],
  ['datetimeoffset', { time: 'adaptive' }, '2024-01-01T00:00:00', /no offset: 2024-01-01T00:00:00/],
  ['money', { decimal: 'precise' }, '12.50', /expected base64 of an integer, found 12.50/],
  ['money', { decimal: 'precise' }, '', /expected base64 of an integer, found/],
  ['money', { decimal: 'string' }, 'MDk=', /expected a number as text, found MDk=/],
  ['money', { decimal: 'string' }, '1e15', /column c: numeric field overflow/],
  ['money', { decimal: 'precise' }, 'fwAAAAAAAAAAAA==', /column c: numeric field overflow/],
  ['image', { binary: 'hex' }, '\\xcafe', /expected hexadecimal digits, found \\xcafe/],
  ['image', { binary: 'base64' }, 'caf', /expected base64, found caf/],
  ['image', { binary: 'base64-url-safe' }, 'a+b', /expected base64 for URLs, found a\+b/],
];

describe('a value that does not match its form', () => {
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget();
  });
  afterAll(() => target.stop());

  it.each(WRONG.map((wrong, n) => [...wrong, n] as const))(
    '%s with %j: %s is a dead letter',
    async (type, settings, sent, reason, n) => {
      const column = buildColumn('mssql', { type, values: [] }, settings);
      const table = buildTable({ name: `Wrong${n}`, columns: [ID, column] });
      await target.apply(table);
      await stageText(target, table, 1, column, sent);
      await stageText(target, table, 2, column, null);
      await mergeAll(target.sink, target.owner, TENANT, table);
      expect(
        await target.owner`SELECT reason, payload ->> 'c' AS sent FROM cdc_management.dead_letter
          WHERE table_name = ${table.name}`,
      ).toEqual([{ reason: expect.stringMatching(reason), sent }]);
      const [{ n: rows } = { n: 0 }] = await target.owner.unsafe<{ n: number }[]>(
        `SELECT count(*)::integer AS n FROM ${quoteQualified(TENANT, table.name)}`,
      );
      expect(rows).toBe(1);
    },
  );
});

const SENT: PipelineSettings = { events: 'debezium', unavailable: '__left_out' };
const KEY = ['day', 'amount', 'code'];
const EVENTS = resolveEvents(SENT)!;

/** Builds a table whose key and large value have their own forms. */
function buildFormed(deleteMode: 'hard' | 'soft'): ReplicatedTable {
  const of = (name: string, type: string, facets: Partial<CatalogColumn>, events = EVENTS) => {
    const column: CatalogColumn = { name, type, nullable: !KEY.includes(name), ...facets };
    const mapped = mapType('mssql', column, { overrides: undefined, table: 'dbo.T' })!;
    const form = formOf(column, 'mssql', mapped.type, events);
    const source = { name, type: formatSourceType(column) };
    return {
      name,
      role: 'source',
      type: mapped.type,
      nullable: column.nullable,
      source,
      form,
    } as const;
  };
  return buildTable({
    name: `Formed_${deleteMode}`,
    deleteMode,
    unavailable: EVENTS.unavailable,
    key: KEY,
    columns: [
      of('day', 'date', {}),
      of('amount', 'decimal', { precision: 18, scale: 2 }),
      of('code', 'binary', { length: 4 }),
      of('file', 'varbinary', { length: 'max' }),
      of('url', 'varbinary', { length: 'max' }, { ...EVENTS, binary: 'base64-url-safe' }),
      of('hex', 'varbinary', { length: 'max' }, { ...EVENTS, binary: 'hex' }),
      of('at', 'datetime2', { scale: 7 }),
    ].map(({ form, ...column }) => (form ? { ...column, form } : column)),
  });
}

const LEFT_OUT = {
  file: Buffer.from('__left_out').toString('base64'),
  url: Buffer.from('__left_out').toString('base64url'),
  hex: '__left_out',
};
const LARGE = {
  file: Buffer.from('\xfffile'.repeat(60), 'latin1').toString('base64'),
  url: Buffer.from('\xfffile'.repeat(60), 'latin1').toString('base64url'),
  hex: Buffer.from('\xfffile'.repeat(60), 'latin1').toString('hex'),
};

describe.each(['hard', 'soft'] as const)('keys and large values in forms, %s deletes', (mode) => {
  const table = buildFormed(mode);
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget();
    await target.apply(table);
  });
  beforeEach(() => target.reset(table));
  afterAll(() => target.stop());

  async function send(
    at: number,
    operation: string,
    values: Readonly<Record<string, string>> = {},
  ) {
    const row = { day: '-1', amount: '/2o=', code: '3q2+7w==', ...values };
    const names = [...Object.keys(row), '__cdc_operation', '__kafka_partition', '__kafka_offset'];
    const texts = [...Object.values(row), operation, '0', String(at)];
    await target.sink.unsafe(
      `INSERT INTO ${quoteQualified(TENANT, table.names.staging)} (${names.map(quoteIdentifier).join()})
       VALUES (${texts.map(quoteLiteral).join()})`,
    );
  }
  const merge = () => mergeAll(target.sink, target.owner, TENANT, table);
  const rows = () =>
    target.owner.unsafe(
      `SELECT day::text, amount::text, code::text, file = decode('${LARGE.file}', 'base64') AS file,
         url = file AS url, hex = file AS hex, at::text, __kafka_offset::integer AS "offset"
       FROM ${quoteQualified(TENANT, table.name)}${mode === 'soft' ? ' WHERE __deleted_at IS NULL' : ''}`,
    );
  const stored = {
    day: '1969-12-31',
    amount: '-1.50',
    code: '\\xdeadbeef',
    file: true,
    url: true,
    hex: true,
  };

  it('an update without the large value keeps it, in the same window and in a later one', async () => {
    await send(1, 'c', { ...LARGE, at: '0' });
    await send(2, 'u', { ...LEFT_OUT, at: '-1' });
    await merge();
    expect(await rows()).toEqual([{ ...stored, at: '1969-12-31 23:59:59.999999', offset: 2 }]);
    await send(3, 'u', { ...LEFT_OUT, at: '1000' });
    await merge();
    expect(await rows()).toEqual([{ ...stored, at: '1970-01-01 00:00:00.000001', offset: 3 }]);
  });

  it('a late event fills in a large value', async () => {
    await send(2, 'u', { ...LEFT_OUT, at: '0' });
    await merge();
    await send(1, 'c', { ...LARGE, at: '1' });
    await merge();
    expect(await rows()).toEqual([{ ...stored, at: '1970-01-01 00:00:00', offset: 2 }]);
  });

  it('a delete removes the row, and a late event does not restore it', async () => {
    await send(1, 'c', LARGE);
    await merge();
    await send(3, 'd');
    await merge();
    expect(await rows()).toEqual([]);
    await send(2, 'u', LARGE);
    await merge();
    expect(await rows()).toEqual([]);
    await send(4, 'c', { ...LARGE, at: '0' });
    await merge();
    expect(await rows()).toEqual([{ ...stored, at: '1970-01-01 00:00:00', offset: 4 }]);
  });

  it.each(['u', 'd'])(
    'a key that does not match its form is a dead letter (%s)',
    async (operation) => {
      await send(1, 'c', { ...LARGE, at: '0' });
      await send(2, operation, { code: 'not base64' });
      await send(3, operation, { day: '9999999' });
      await merge();
      expect(await rows()).toEqual([{ ...stored, at: '1970-01-01 00:00:00', offset: 1 }]);
      expect(
        await target.owner`SELECT reason FROM cdc_management.dead_letter ORDER BY kafka_offset`,
      ).toEqual([
        { reason: expect.stringMatching(/column code: expected base64, found not base64/) },
        { reason: expect.stringMatching(/column day: expected days since 1970, found 9999999/) },
      ]);
    },
  );
});

/** Stages values like a driver that sends all parameters as text. Skips a value that the server refuses. */
async function stageText(
  { sink }: MergeTarget,
  { names }: ReplicatedTable,
  id: number,
  { name }: ColumnDefinition,
  sent: string | null,
): Promise<void> {
  await sink
    .unsafe(
      `INSERT INTO ${quoteQualified(TENANT, names.staging)} (id, ${quoteIdentifier(name)}, __cdc_operation,
         __kafka_partition, __kafka_offset) VALUES ('${id}', ${sent === null ? 'NULL' : quoteLiteral(sent)}, 'c', '0', '${id}')`,
    )
    .catch(() => undefined);
}

async function readStored(
  { owner }: MergeTarget,
  table: ReplicatedTable,
  cases: readonly Case[],
): Promise<readonly { readonly type: string; readonly stored: string }[]> {
  return await Promise.all(
    cases.map(async ({ column, sent }, n) => {
      const name = quoteIdentifier(column.name);
      const text = /with time zone/.test(column.type)
        ? `(${name} AT TIME ZONE 'UTC')::text`
        : `${name}::text`;
      const [row] = await owner.unsafe<{ value: string }[]>(
        `SELECT ${text} AS value FROM ${quoteQualified(TENANT, table.name)} WHERE id = ${n}`,
      );
      const [deadLetter] = row
        ? []
        : await owner<{ reason: string }[]>`
            SELECT reason FROM cdc_management.dead_letter
            WHERE table_name = ${table.name} AND kafka_offset = ${n}`;
      return {
        type: `${column.source!.type} as ${column.form}: ${sent}`,
        stored: row?.value ?? deadLetter?.reason ?? 'refused',
      };
    }),
  );
}
