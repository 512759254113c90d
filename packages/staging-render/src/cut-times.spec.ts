import { METADATA_COLUMNS } from '@cdc-migrations/table-defs';
import { column, table, useMergeDatabase } from './merge.fixture.ts';

const TIMES = [
  column('at', 'timestamp(6) without time zone', 'datetime2(7)'),
  column('instant', 'timestamp(6) with time zone', 'datetimeoffset(7)'),
  column('clock', 'time(6) without time zone', 'time(7)'),
  column('coarse', 'timestamp(0) without time zone', 'datetime2(3)'),
];

const TABLE = table('Times', {
  columns: [column('id', 'integer', 'int'), ...TIMES, ...METADATA_COLUMNS],
});

const KEYED = table('Versions', {
  columns: [
    column('id', 'timestamp(6) without time zone', 'datetime2(7)'),
    column('navn', 'text', 'ntext'),
    ...METADATA_COLUMNS,
  ],
});

/** Values that a writer sends for the columns of TABLE, and the stored values. */
const ROWS: readonly (readonly [string, readonly (string | null)[], readonly (string | null)[]])[] =
  [
    [
      'the last instant of a temporal table',
      [
        '9999-12-31 23:59:59.9999999',
        '9999-12-31T23:59:59.9999999Z',
        '23:59:59.9999999',
        '9999-12-31 23:59:59.999',
      ],
      [
        '9999-12-31 23:59:59.999999',
        '9999-12-31 23:59:59.999999',
        '23:59:59.999999',
        '9999-12-31 23:59:59.000000',
      ],
    ],
    [
      'a digit that would be rounded up',
      [
        '2024-01-02T03:04:05.1234569',
        '2024-01-02T03:04:05.1234569+02:00',
        '03:04:05.1234569',
        '2024-01-02 03:04:05.999',
      ],
      [
        '2024-01-02 03:04:05.123456',
        '2024-01-02 01:04:05.123456',
        '03:04:05.123456',
        '2024-01-02 03:04:05.000000',
      ],
    ],
    [
      'other forms of ISO 8601',
      ['2024-01-02', '2024-01-02 03:04-03:30', '03:04Z', '2024-01-02'],
      [
        '2024-01-02 00:00:00.000000',
        '2024-01-02 06:34:00.000000',
        '03:04:00',
        '2024-01-02 00:00:00.000000',
      ],
    ],
    [
      'nine digits',
      [
        '2024-01-02T03:04:05.123456789Z',
        '2024-01-02T03:04:05.123456789Z',
        '03:04:05.123456789',
        null,
      ],
      ['2024-01-02 03:04:05.123456', '2024-01-02 03:04:05.123456', '03:04:05.123456', null],
    ],
    [
      'a time that the writer has rounded up',
      ['10000-01-01 00:00:00+00', '10000-01-01 00:00:00+00', '24:00:00', '10000-01-01'],
      [
        '9999-12-31 23:59:59.999999',
        '9999-12-31 23:59:59.999999',
        '23:59:59.999999',
        '9999-12-31 23:59:59.000000',
      ],
    ],
    ['NULL', [null, null, null, null], [null, null, null, null]],
  ];

describe('times with more digits than their column', () => {
  const { run, create, stage, merge } = useMergeDatabase();
  beforeAll(async () => {
    await create(TABLE);
    await create(KEYED);
  });

  /** Stages values as text in any column, so that no driver converts them. */
  const stageTexts = async (id: number, texts: Readonly<Record<string, string | null>>) => {
    const names = Object.keys(texts).map((name) => `, ${name}`);
    const values = Object.values(texts).map((text) => (text === null ? ', NULL' : `, '${text}'`));
    await run(`INSERT INTO avansas."stg_Times" (id, "__cdc_operation", "__kafka_partition", "__kafka_offset"${names.join('')})
      VALUES (${id}, 'c', 0, ${id}${values.join('')})`);
  };

  const stored = async (id: number) => {
    const [row] = await run(`SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS.US') AS at,
      to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS instant, clock::text AS clock,
      to_char(coarse, 'YYYY-MM-DD HH24:MI:SS.US') AS coarse FROM avansas."Times" WHERE id = ${id}`);
    return row && [row['at'], row['instant'], row['clock'], row['coarse']];
  };

  it.each(ROWS.map(([what, sent, kept], index) => ({ what, sent, kept, id: index + 1 })))(
    'are truncated and never rounded up: $what',
    async ({ sent, kept, id }) => {
      const [at, instant, clock, coarse] = sent as [string, string, string, string];
      await stageTexts(id, { at, instant, clock, coarse });
      await run(`SET datestyle = 'SQL, DMY'; SET timezone = 'America/New_York'`).simple();
      await merge(TABLE);
      await run('RESET datestyle; RESET timezone').simple();
      expect(await stored(id)).toEqual(kept);
    },
  );

  it('have the same result inlined and by cut_seconds, in every form', async () => {
    const days = [
      '2024-02-29',
      '0001-01-01',
      '9999-12-31',
      '24-1-1',
      '10000-01-01',
      '2024-01-02 BC',
    ];
    const clocks = ['03:04:05', '23:59:59', '03:04', '3:4:5', '03:04:05 PM', '03:04:051'];
    const fractions = ['', '.', '.1', '.123456', '.1234567', '.999999999', ',5', '.1 2'];
    const zones = ['', 'Z', 'z', '+02:00', '-03:30', '+02', ' +02:00', 'UTC', ' BC'];
    const texts = days.flatMap((day) =>
      clocks.flatMap((clock) =>
        fractions.flatMap((fraction) => zones.map((zone) => `${day}T${clock}${fraction}${zone}`)),
      ),
    );
    const whole = (type: string) => `pg_temp.or_error(
      format('SELECT cdc_management.cut_seconds(%L, %s)::${type}', text, digits))`;
    const short = (name: string) => `pg_temp.or_error(
      format('SELECT cdc_management.${name}(%L, %s)', text, digits))`;
    await run(`CREATE FUNCTION pg_temp.or_error(p_query text) RETURNS text LANGUAGE plpgsql AS $$
      DECLARE v_text text;
      BEGIN EXECUTE p_query INTO v_text; RETURN v_text; EXCEPTION WHEN OTHERS THEN RETURN 'refused'; END $$`);
    expect(
      await run(`SELECT text, digits FROM (
          SELECT text, digits FROM jsonb_array_elements_text('${JSON.stringify(texts)}') AS text
          CROSS JOIN unnest(ARRAY[0, 3, 6]) AS digits
        ) AS tried
        WHERE ${short('as_timestamp')} <> ${whole('timestamp')}
          OR ${short('as_time').replaceAll('text,', "split_part(text, 'T', 2),")}
            <> ${whole('time').replaceAll('text,', "split_part(text, 'T', 2),")}
          OR ${short('as_timestamptz')} <> ${whole('timestamptz')} AND text ~ '(Z|[-+][0-9:]+)$'`),
    ).toEqual([]);
  });

  it.each(['timestamp', 'timestamptz'])(
    'are stored if the writer binds them as %s',
    async (type) => {
      await run(`PREPARE bound (${type}, timestamptz, time) AS INSERT INTO avansas."stg_Times"
      (id, at, instant, clock, "__cdc_operation", "__kafka_partition", "__kafka_offset")
      VALUES (100, $1, $2, $3, 'c', 0, 100)`);
      await run(
        `EXECUTE bound ('2024-01-02 03:04:05.123456', '2024-01-02 03:04:05.123456+00', '03:04:05.123456')`,
      );
      await run('DEALLOCATE bound');
      await merge(TABLE);
      expect((await stored(100))!.slice(0, 3)).toEqual([
        '2024-01-02 03:04:05.123456',
        '2024-01-02 03:04:05.123456',
        '03:04:05.123456',
      ]);
      await run('DELETE FROM avansas."Times" WHERE id = 100');
    },
  );

  it.each([
    ['at', '20240102'],
    ['at', '1704164645123456700'],
    ['at', '02/01/2024 03:04:05'],
    ['at', '2024-01-02 03:04:05.1234567 pm'],
    ['at', 'now'],
    ['clock', '101112'],
    ['instant', '02.01.2024 03:04:05 CET'],
  ])(
    'are dead letters in other forms, and the reason names the column: %s, %s',
    async (name, value) => {
      await stageTexts(200, { [name]: value });
      await merge(TABLE);
      const deadLetters = await run(
        `DELETE FROM cdc_management.dead_letter WHERE kafka_offset = 200 RETURNING reason, payload ->> '${name}' AS sent`,
      );
      expect(deadLetters).toEqual([
        {
          reason: expect.stringMatching(
            new RegExp(`^column ${name}: expected ISO 8601 .*22007`),
          ) as string,
          sent: value,
        },
      ]);
      expect(await stored(200)).toBeUndefined();
    },
  );

  it('are dead letters if an instant has no offset', async () => {
    await stageTexts(300, { instant: '2024-01-02 03:04:05.1234567' });
    await merge(TABLE);
    const deadLetters = await run(
      'SELECT reason FROM cdc_management.dead_letter WHERE kafka_offset = 300',
    );
    expect(deadLetters).toEqual([
      { reason: expect.stringContaining('no offset: 2024-01-02') as string },
    ]);
  });

  it('are truncated in keys before the keys are compared', async () => {
    const max = '9999-12-31 23:59:59.9999999';
    await stage(KEYED, [
      { at: 1, id: max, navn: 'old' },
      { at: 2, id: '9999-12-31T23:59:59.999999Z', navn: 'new' },
      { at: 3, id: '2024-01-02 03:04:05.1234567', navn: 'other' },
    ]);
    await merge(KEYED);
    const rows = () => run('SELECT navn FROM avansas."Versions" ORDER BY navn');
    expect(await rows()).toEqual([{ navn: 'new' }, { navn: 'other' }]);
    await stage(KEYED, [{ at: 4, id: max, navn: null, __cdc_operation: 'd' }]);
    await merge(KEYED);
    expect(await rows()).toEqual([{ navn: 'other' }]);
    await stage(KEYED, [{ at: 3, id: max, navn: 'late' }]);
    await merge(KEYED);
    expect(await rows()).toEqual([{ navn: 'other' }]);
  });

  it('are truncated in staged events after the source column gets or loses digits', async () => {
    const withDigits = (source: string) =>
      table('Changed', {
        columns: [
          column('id', 'integer', 'int'),
          column('navn', 'timestamp(6) without time zone', source),
          ...METADATA_COLUMNS,
        ],
      });
    const stageAt = (offset: number, value: string) =>
      run(`INSERT INTO avansas."stg_Changed" (id, navn, "__cdc_operation", "__kafka_partition", "__kafka_offset")
        VALUES (${offset}, '${value}', 'c', 0, ${offset})`);
    await create(withDigits('datetime2(6)'));
    await stageAt(1, '2024-01-02 03:04:05.123456');
    await run(`SET datestyle = 'SQL, DMY'`);
    await create(withDigits('datetime2(7)'));
    await stageAt(2, '9999-12-31 23:59:59.9999999');
    await create(withDigits('datetime2(6)'));
    await run('RESET datestyle');
    await merge(withDigits('datetime2(6)'));
    const rows = await run(`SELECT navn::text AS at FROM avansas."Changed" ORDER BY id`);
    expect(rows).toEqual([
      { at: '2024-01-02 03:04:05.123456' },
      { at: '9999-12-31 23:59:59.999999' },
    ]);
  });
});
