import { describeDebian, startDebianPostgres } from '@cdc-migrations/postgres-fixture';
import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable } from './merge-table.ts';
import {
  type MergeTarget,
  openMergeTarget,
  readNumber,
  renderOrders,
  SINK,
  startMergeTarget,
  TENANT,
} from './merge-target.fixture.ts';
import { orderTable } from './order-linjer.fixture.ts';

/** Time that the trigger of a slow table takes per row: 2 s for all rows, 1 s for the rows of one block. */
const ROW_MS = 20;
const ROWS = 100;
const TIMEOUT_MS = 400;
const MOST_CALLS = 40;

const FAST = orderTable('Fast');

/** Creates a table with slow writes and stages events for it. */
async function createSlow(
  { apply, owner }: MergeTarget,
  table: ReplicatedTable,
): Promise<ReplicatedTable> {
  await apply(table);
  const [final, slowly] = [table.name, `slowly ${table.name}`].map((of) =>
    quoteQualified(TENANT, of),
  );
  await owner.unsafe(`
    CREATE FUNCTION ${slowly}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_sleep(${ROW_MS / 1000.0});
      RETURN NEW;
    END $$;
    CREATE TRIGGER slowly BEFORE INSERT ON ${final} FOR EACH ROW EXECUTE FUNCTION ${slowly}()`);
  await owner.unsafe(renderOrders(1, ROWS, { staging: table.names.staging }));
  return table;
}

describe('a transaction_timeout that is shorter than a batch', () => {
  let target: MergeTarget;
  beforeAll(async () => {
    target = await startMergeTarget({}, 18);
  });
  afterAll(() => target.stop());

  it('does not end the merging session', async () => {
    const table = orderTable('Slow');
    const superuser = target.server.connect({ max: 1 });
    await superuser.unsafe(`ALTER ROLE ${SINK} SET transaction_timeout = 300`);
    await createSlow(target, table);
    const sink = target.connectSink();
    await sink`CALL cdc_management.run_pending_merges()`.simple();
    const final = quoteQualified(TENANT, table.name);
    expect(await readNumber(target.owner, `SELECT count(*) AS n FROM ${final}`)).toBe(ROWS);
  });
});

describeDebian('a statement_timeout that is shorter than a batch', () => {
  let target: MergeTarget;
  let owner: Sql;
  beforeAll(async () => {
    target = await openMergeTarget(await startDebianPostgres());
    ({ owner } = target);
    await target.apply(FAST);
    const superuser = target.server.connect({ max: 1 });
    await superuser.unsafe(`ALTER ROLE ${SINK} SET statement_timeout = ${TIMEOUT_MS}`);
  });
  afterAll(() => target.stop());

  const count = ({ name }: ReplicatedTable) =>
    readNumber(owner, `SELECT count(*) AS n FROM ${quoteQualified(TENANT, name)}`);
  const errorsOf = ({ name }: ReplicatedTable) =>
    owner<{ sqlstate: string }[]>`
      SELECT DISTINCT sqlstate FROM cdc_management.merge_error WHERE table_name = ${name}`;
  /** Merges repeatedly. Returns SQLSTATE and message of each call. */
  const mergeUntilDone = async (table: ReplicatedTable, merge: (sink: Sql) => Promise<unknown>) => {
    const sink = target.connectSink();
    const ends: string[] = [];
    while ((await count(table)) < ROWS && ends.length < MOST_CALLS) {
      ends.push(
        await merge(sink).then(
          () => 'done',
          ({ code, message }: { code: string; message: string }) => `${code} ${message}`,
        ),
      );
    }
    await sink.end();
    return ends;
  };

  it.each<[string, string, (table: ReplicatedTable) => (sink: Sql) => Promise<unknown>]>([
    [
      'run_pending_merges',
      'a batch took longer than statement_timeout allows',
      () => (sink) => sink`CALL cdc_management.run_pending_merges()`.simple(),
    ],
    [
      'the procedure of the table',
      'canceling statement due to statement timeout (SQLSTATE 57014)',
      (table) => (sink) => mergeTable(sink, TENANT, table),
    ],
  ])('reduces the size of batches until they fit, in %s', async (how, message, mergeBy) => {
    const table = await createSlow(target, orderTable(`Slow by ${how}`));
    const ends = await mergeUntilDone(table, mergeBy(table));
    expect(await count(table)).toBe(ROWS);
    expect(ends).toContain(`57014 ${message}`);
    expect(ends.filter((end) => end !== 'done' && !end.startsWith('57014 '))).toEqual([]);
    expect(await errorsOf(table)).toEqual([{ sqlstate: '57014' }]);
    expect(await owner`SELECT * FROM cdc_management.dead_letter`).toEqual([]);
  });

  it('does not delay other tables, and is recorded as a failure', async () => {
    const table = await createSlow(target, orderTable('Slow beside another'));
    await owner.unsafe(renderOrders(1, 500, { staging: FAST.names.staging }));
    for (let call = 0; call < 4; call++) {
      const sink = target.connectSink();
      await sink`CALL cdc_management.run_pending_merges()`.simple().catch(() => {});
      await sink.end();
    }
    expect(await count(FAST)).toBe(500);
    expect(await errorsOf(FAST)).toEqual([]);
    expect(await errorsOf(table)).toEqual([{ sqlstate: '57014' }]);
    const status = await owner`
      SELECT is_failing FROM cdc_management.merge_status WHERE table_name = ${table.name}`;
    expect(status).toEqual([{ is_failing: true }]);
  });

  it('does not limit later batches that have enough time', async () => {
    const table = await createSlow(target, orderTable('Slow for a time'));
    await mergeUntilDone(table, (sink) => mergeTable(sink, TENANT, table));
    await owner.unsafe(`DROP TRIGGER slowly ON ${quoteQualified(TENANT, table.name)}`);
    const staged = 20_000;
    await owner.unsafe(renderOrders(1001, 1000 + staged, { staging: table.names.staging }));
    const before = await readNumber(
      owner,
      'SELECT max(batch_id) AS n FROM cdc_management.processing_log',
    );
    await owner`SET statement_timeout = '1h'`;
    await mergeTable(owner, TENANT, table);
    await owner`RESET statement_timeout`;
    expect(await count(table)).toBe(ROWS + staged);
    const batches = await readNumber(
      owner,
      `SELECT count(DISTINCT batch_id) AS n FROM cdc_management.processing_log WHERE batch_id > ${before}`,
    );
    expect(batches).toBeLessThan(40);
  });

  it('differs from a cancel, which ends the call and is not recorded', async () => {
    const table = await createSlow(target, orderTable('Slow and cancelled'));
    const sink = target.connectSink();
    await sink`SET statement_timeout = 0`;
    const [row] = await sink<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    const merging = sink`CALL cdc_management.run_pending_merges()`.simple();
    const ended = expect(merging).rejects.toMatchObject({ code: '57014' });
    await owner`SELECT pg_sleep(0.3)`;
    const superuser = target.server.connect({ max: 1 });
    await superuser`SELECT pg_cancel_backend(${row!.pid})`;
    await ended;
    expect(await errorsOf(table)).toEqual([]);
    await mergeTable(sink, TENANT, table);
    expect(await count(table)).toBe(ROWS);
    const batches = await readNumber(
      owner,
      `SELECT count(DISTINCT batch_id) AS n FROM cdc_management.processing_log WHERE table_name = '${table.name}'`,
    );
    expect(batches).toBe(1);
  });
});
