import {
  describeDebian,
  type PostgresServer,
  startDebianPostgres,
  startPostgres,
} from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { Sql } from 'postgres';
import {
  type MergeTarget,
  openMergeTarget,
  orderEvent,
  readNumber,
  TENANT,
} from './merge-target.fixture.ts';
import { ORDER_LINJER } from './order-linjer.fixture.ts';
import { stageEvents } from './stage-events.ts';

const FINAL = quoteQualified(TENANT, ORDER_LINJER.name);
const STAGING = quoteQualified(TENANT, ORDER_LINJER.names.staging);

type Values = Readonly<Record<string, string | null>>;

/** Texts with a special meaning in SQL, in a format string, or in the statements of a merge. */
const TEXTS = [
  `'; DROP TABLE x; --`,
  `"; DROP TABLE x; --`,
  `\\'; DROP TABLE x; --`,
  '\\',
  '$1 $2',
  '$sql$ $function$ $$',
  '%s %I %L %1$s %',
  '{staging} {key} {window} {{SCHEMA}}',
  '\u0001staging}',
  '::error::x',
  '\u001b[2J',
  '\u202e',
];
const [LOWEST, HIGHEST] = ['-9223372036854775808', '9223372036854775807'];
const METADATA = ['__source', '__source_db', '__source_table', '__cdc_operation'];
const of = (columns: readonly string[], values: readonly (string | null)[]): readonly Values[] =>
  columns.flatMap((column) => values.map((value) => ({ [column]: value })));

/** The invalid or extreme values of each event. All others are valid. */
const EVENTS: readonly Values[] = [
  ...of(
    ['Notat', 'Tekst', 'Status', '_customer_id', ...METADATA],
    [...TEXTS, 'x'.repeat(1_000_000)],
  ),
  ...of(
    ['OrderID', 'Antall', '__source_ts_ms', '__kafka_offset'],
    [LOWEST, HIGHEST, '-1', '1e100000'],
  ),
  ...of(
    ['LinjeNr', '__kafka_partition', '__stream_generation'],
    ['-2147483648', '2147483647', '-1', '9999'],
  ),
  ...of(
    ['Beløp'],
    ['NaN', 'Infinity', '-Infinity', '1e100000', '1e131071', '1e-16383', '9'.repeat(100_000)],
  ),
  ...of(
    ['__sync_timestamp', '__kafka_timestamp'],
    ['infinity', '-infinity', '4713-01-01 BC', '294276-12-31'],
  ),
  ...of(
    ['Data', 'Dokument'],
    [
      ...['['.repeat(100_000), `${'['.repeat(6000)}${']'.repeat(6000)}`, '"\\ud800"', '"\\u0000"'],
      ...[
        '1e999999',
        '{"a": 1e400}',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
      ],
    ],
  ),
  ...of(['OrderID', '__kafka_partition', '__kafka_offset', '__cdc_operation', ...METADATA], [null]),
];

describeDebian('an event of an attacker, on Debian', () => attack(() => startDebianPostgres()));
describe('an event of an attacker, on PostgreSQL 18', () =>
  attack(() => startPostgres({ major: 18 })));

/** Describes attacks by a user who controls the values of a row and its metadata. */
function attack(start: () => Promise<PostgresServer>): void {
  let target: MergeTarget;
  let sink: Sql;
  let owner: Sql;
  beforeAll(async () => {
    target = await openMergeTarget(await start());
    ({ sink, owner } = target);
    await target.apply(ORDER_LINJER);
  });
  afterAll(() => target?.stop());

  const count = (rows: string) => readNumber(owner, `SELECT count(*) AS n FROM ${rows}`);
  const objects =
    () => owner`SELECT md5(string_agg(concat_ws(' ', oid, relname, relowner, relkind), ',' ORDER BY oid)) FROM pg_class
    WHERE relkind NOT IN ('i', 't')`;
  const merge = () => sink`CALL cdc_management.run_pending_merges()`.simple();

  it('is merged, moved to the dead letters or refused, and does not block other events', async () => {
    const before = await objects();
    let staged = 0;
    for (const [n, values] of EVENTS.entries()) {
      const event = orderEvent({ OrderID: String(n), __kafka_offset: String(n), ...values });
      try {
        await stageEvents(sink, TENANT, ORDER_LINJER, [event]);
        staged++;
      } catch (error) {
        // Caused by a single value, which a sink pipeline keeps as a refused event.
        expect(error).toMatchObject({ code: expect.stringMatching(/^22/) });
      }
    }
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({ OrderID: '999999', __kafka_offset: '1000' }),
    ]);
    await merge();
    const [log] = await owner`SELECT sum(events)::integer AS events, sum(merged)::integer AS merged,
      sum(dead)::integer AS dead FROM cdc_management.processing_log`;
    expect(log).toMatchObject({
      events: staged + 1,
      dead: await count('cdc_management.dead_letter'),
    });
    expect(log!['merged']).toBe(await count(FINAL));
    expect(log!['merged']).toBeGreaterThan(50);
    expect(await count(`${FINAL} WHERE "OrderID" = 999999`)).toBe(1);
    expect(await count(STAGING)).toBe(0);
    expect(await owner`SELECT * FROM cdc_management.merge_error`).toEqual([]);
    expect(await objects()).toEqual(before);
    expect(await count(`${FINAL} AS row WHERE row::text LIKE '%root:%'`)).toBe(0); // Content of /etc/passwd
  });

  it('is stored with unchanged text', async () => {
    const stored = await owner<{ text: string }[]>`
      SELECT "Notat" AS text FROM ${owner.unsafe(FINAL)} WHERE "Notat" IS NOT NULL AND "OrderID" < ${TEXTS.length} ORDER BY "OrderID"`;
    expect(stored.map(({ text }) => text)).toEqual(TEXTS);
  });

  it('does not prevent a role from reading the views', async () => {
    const views = await owner<{ name: string }[]>`
      SELECT viewname::text AS name FROM pg_views WHERE schemaname = 'cdc_management'`;
    expect(views.length).toBeGreaterThan(10);
    for (const { name } of views)
      await sink`SELECT to_jsonb(row) FROM cdc_management.${sink(name)} AS row`;
  });

  it('with a huge partition number extends staged_floor to at most 10,000 partitions', async () => {
    await stageEvents(sink, TENANT, ORDER_LINJER, [
      orderEvent({
        OrderID: '1000001',
        __kafka_offset: '1',
        __kafka_partition: '2147483647',
        __source_table: 'wide',
      }),
      orderEvent({
        OrderID: '1000002',
        __kafka_offset: '1',
        __kafka_partition: '1',
        __source_table: 'wide',
      }),
    ]);
    await merge();
    const [floor] =
      await owner`SELECT max(cardinality(first_offsets)) AS n FROM cdc_management.staged_floor`;
    expect(floor!['n']).toBeLessThanOrEqual(10_000);
  });
}
