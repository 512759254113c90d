import { useAdopusClient } from './adopus-client.fixture.ts';

const { run, select } = useAdopusClient();

it('gives the types that the views declare', async () => {
  const { columns, rows } =
    await run(`SELECT t.name, t.object_id, t.type, t.create_date, t.is_tracked_by_cdc, t.temporal_type, c.max_length,
       p.rows, i.seed_value, CAST(0x01 AS binary(10)) AS lsn, CAST(NULL AS nvarchar(max)) AS text
     FROM sys.tables t JOIN sys.columns c ON c.object_id = t.object_id
     JOIN sys.identity_columns i ON i.object_id = c.object_id AND i.column_id = c.column_id
     LEFT JOIN sys.partitions p ON p.object_id = t.object_id
     WHERE t.name = 'actor '`);
  expect(columns.map(({ name, type, length }) => [name, type, length])).toEqual([
    ['name', 'NVarChar', 256],
    ['object_id', 'IntN', 4],
    ['type', 'Char', 2],
    ['create_date', 'DateTimeN', 8],
    ['is_tracked_by_cdc', 'BitN', 1],
    ['temporal_type', 'IntN', 1],
    ['max_length', 'IntN', 2],
    ['rows', 'IntN', 8],
    ['seed_value', 'Variant', 8009],
    ['lsn', 'Binary', 10],
    ['text', 'NVarChar', 65535],
  ]);
  expect(rows).toEqual([
    {
      name: 'Actor',
      object_id: 245575929,
      type: 'U ',
      create_date: new Date('2019-03-04T08:15:30.120Z'),
      is_tracked_by_cdc: false,
      temporal_type: 0,
      max_length: 4,
      rows: null,
      seed_value: 1,
      lsn: Buffer.from('01000000000000000000', 'hex'),
      text: null,
    },
  ]);
});

it('carries a value of every type, and NULL', async () => {
  const types = [
    ['bit', '1', true],
    ['tinyint', '255', 255],
    ['smallint', '-2', -2],
    ['int', '-3', -3],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['decimal(10, 2)', '-12.34', -12.34],
    ['money', '12.5', 12.5],
    ['smallmoney', '-1.25', -1.25],
    ['real', '0.5', 0.5],
    ['float', '1.25', 1.25],
    ['date', "'2024-01-31'", new Date('2024-01-31')],
    ['time(0)', "'10:11:12'", new Date('1970-01-01T10:11:12Z')],
    ['datetime', "'2024-01-31T10:11:12.007'", new Date('2024-01-31T10:11:12.007Z')],
    ['smalldatetime', "'2024-01-31T10:11:00'", new Date('2024-01-31T10:11:00Z')],
    ['datetime2(7)', "'2024-01-31T10:11:12.1234567'", new Date('2024-01-31T10:11:12.123Z')],
    ['datetimeoffset(3)', "'2024-01-31T10:11:12+02:00'", new Date('2024-01-31T08:11:12Z')],
    ['char(3)', "'ø'", 'ø  '],
    ['varchar(3)', "'abcd'", 'abc'],
    ['nchar(2)', "N'x'", 'x '],
    ['nvarchar(5)', "N'Døv'", 'Døv'],
    ['nvarchar(max)', "REPLICATE(CAST(N'æ' AS nvarchar(max)), 5000)", 'æ'.repeat(5000)],
    ['sysname', "N'dbo'", 'dbo'],
    ['binary(4)', '0x0102', Buffer.from([1, 2, 0, 0])],
    ['varbinary(max)', '0x0102', Buffer.from([1, 2])],
    [
      'uniqueidentifier',
      "'6f9619ff-8b86-d011-b42d-00c04fc964ff'",
      '6F9619FF-8B86-D011-B42D-00C04FC964FF',
    ],
    ['sql_variant', "N'text'", 'text'],
  ] as const;
  const list = types.map(
    ([type, value], i) => `CAST(${value} AS ${type}) AS v${i}, CAST(NULL AS ${type}) AS n${i}`,
  );
  const [row] = await select(`SELECT ${list.join(', ')}`);
  expect(types.map(([type], i) => [type, row?.[`v${i}`], row?.[`n${i}`]])).toEqual(
    types.map(([type, , value]) => [type, value, null]),
  );
});

it('takes parameters of every kind', async () => {
  const day = new Date('2024-01-31T10:11:12.123Z');
  const [row] = await select(
    'SELECT @big AS big, @no AS no, @text AS text, @day AS day, @raw AS raw, @bit AS bit',
    {
      parameters: [
        { name: 'big', type: 'BigInt', value: 9007199254740993n },
        { name: 'no', type: 'NVarChar', value: null },
        { name: 'text', type: 'NVarChar', value: 'Døv' },
        { name: 'day', type: 'DateTime2', value: day },
        { name: 'raw', type: 'VarBinary', value: Buffer.from([1, 2]) },
        { name: 'bit', type: 'Bit', value: true },
      ],
    },
  );
  expect(row).toEqual({
    big: '9007199254740993',
    no: null,
    text: 'Døv',
    day,
    raw: Buffer.from([1, 2]),
    bit: true,
  });
  const found = await select(
    'SELECT name FROM sys.tables WHERE name IN (@a, @b) AND create_date < @day',
    {
      parameters: [
        { name: 'a', type: 'NVarChar', value: 'actor  ' },
        { name: 'b', type: 'VarChar', value: 'Fraver' },
        { name: 'day', type: 'DateTime', value: day },
      ],
    },
  );
  expect(found).toEqual([{ name: 'Actor' }, { name: 'Fraver' }]);
});

it('gives the bits of a float', async () => {
  const [row] = await select(
    'SELECT CONVERT(binary(8), CAST(1 AS float)) AS a, CONVERT(binary(4), CAST(-0.5 AS real)) AS b',
  );
  expect(row).toEqual({
    a: Buffer.from('3ff0000000000000', 'hex'),
    b: Buffer.from('bf000000', 'hex'),
  });
});
