import { useAdopusClient } from './adopus-client.fixture.ts';

const { run, select } = useAdopusClient();

it('returns the column types that the views declare', async () => {
  const { columns, rows } =
    await run(`SELECT t.name, t.object_id, t.is_tracked_by_cdc, c.max_length, c.precision,
       CAST(0x01 AS binary(10)) AS lsn, CAST(NULL AS nvarchar(max)) AS text
     FROM sys.tables t JOIN sys.columns c ON c.object_id = t.object_id
     WHERE t.name = 'actor ' AND c.column_id = 1`);
  expect(columns.map(({ name, type, length }) => [name, type, length])).toEqual([
    ['name', 'NVarChar', 256],
    ['object_id', 'IntN', 4],
    ['is_tracked_by_cdc', 'BitN', 1],
    ['max_length', 'IntN', 2],
    ['precision', 'IntN', 1],
    ['lsn', 'Binary', 10],
    ['text', 'NVarChar', 65535],
  ]);
  expect(rows).toEqual([
    {
      name: 'Actor',
      object_id: 245575929,
      is_tracked_by_cdc: false,
      max_length: 4,
      precision: 10,
      lsn: Buffer.from('01000000000000000000', 'hex'),
      text: null,
    },
  ]);
});

it('returns a value of every type that can be sent, and NULL', async () => {
  const types = [
    ['bit', '1', true],
    ['tinyint', '255', 255],
    ['smallint', '-2', -2],
    ['int', '-3', -3],
    ['bigint', '9007199254740991', '9007199254740991'],
    ['real', '1', 1],
    ['float', "'0.1'", 0.1],
    ['char(3)', "'ø'", 'ø  '],
    ['varchar(3)', "'abcd'", 'abc'],
    ['nchar(2)', "N'x'", 'x '],
    ['nvarchar(5)', "N'Døv'", 'Døv'],
    ['nvarchar(max)', "N''", ''],
    ['xml', "N'<a/>'", '<a/>'],
    ['sysname', "N'dbo'", 'dbo'],
    ['binary(4)', '0x0102', Buffer.from([1, 2, 0, 0])],
    ['varbinary(max)', '0x0102', Buffer.from([1, 2])],
  ] as const;
  const list = types.map(
    ([type, value], i) => `CAST(${value} AS ${type}) AS v${i}, CAST(NULL AS ${type}) AS n${i}`,
  );
  const [row] = await select(`SELECT ${list.join(', ')}`);
  expect(types.map(([type], i) => [type, row?.[`v${i}`], row?.[`n${i}`]])).toEqual(
    types.map(([type, , value]) => [type, value, null]),
  );
});

it('accepts parameters of every kind', async () => {
  const values = { big: '9007199254740993', no: null, text: 'Døv', raw: Buffer.from([1, 2]) };
  const [row] = await select('SELECT @big AS big, @no AS no, @text AS text, @raw AS raw, @n AS n', {
    parameters: [
      { name: 'big', type: 'BigInt', value: 9007199254740993n },
      { name: 'no', type: 'NVarChar', value: values.no },
      { name: 'text', type: 'NVarChar', value: values.text },
      { name: 'raw', type: 'VarBinary', value: values.raw },
      { name: 'n', type: 'SmallInt', value: -2 },
    ],
  });
  expect(row).toEqual({ ...values, n: -2 });
});

it('converts floats to their bytes', async () => {
  const [row] = await select(
    'SELECT CONVERT(binary(8), CAST(1 AS float)) AS a, CONVERT(binary(4), CAST(-1 AS real)) AS b',
  );
  expect(row).toEqual({
    a: Buffer.from('3ff0000000000000', 'hex'),
    b: Buffer.from('bf800000', 'hex'),
  });
});
