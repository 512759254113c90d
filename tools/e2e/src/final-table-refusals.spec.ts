import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { mergeTable, replayDeadLetters } from './merge-table.ts';
import { type MergeTarget, orderEvent, startMergeTarget, TENANT } from './merge-target.fixture.ts';
import { orderTable } from './order-linjer.fixture.ts';
import { readProcessingLog } from './read-processing-log.ts';
import { stageEvents } from './stage-events.ts';

type Values = Readonly<Record<string, string | null>>;

/** Objects that users created on a final table (`%T` in the SQL). `%F` is a name for a function. */
interface Refusal {
  readonly ddl: string;
  /** Values of the refused event. */
  readonly bad: Values;
  readonly reason: RegExp;
}

/** Renders a trigger function that does something to rows with the status `bad`. */
const functionOf = (work: string) => `
  CREATE FUNCTION %F() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW."Status" = 'bad' THEN ${work} END IF;
    RETURN NEW;
  END $$;`;
const BEFORE_ROW =
  'CREATE TRIGGER refusing BEFORE INSERT OR UPDATE ON %T FOR EACH ROW EXECUTE FUNCTION %F();';
const before = (work: string) => functionOf(work) + BEFORE_ROW;
const deferred = (work: string) =>
  functionOf(work) +
  `CREATE CONSTRAINT TRIGGER refusing AFTER INSERT OR UPDATE ON %T DEFERRABLE INITIALLY DEFERRED
   FOR EACH ROW EXECUTE FUNCTION %F();`;
const raise = (state: string) => `RAISE EXCEPTION 'not this one' USING ERRCODE = '${state}';`;
const BAD = { Status: 'bad' };

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a trigger that raises': { ddl: before(`RAISE EXCEPTION 'no';`), bad: BAD, reason: /^no.*P0001/ },
  ...Object.fromEntries(
    ['KD001', 'ABCDE', '42501', '55000', '0A000', 'P0002', '22012', '42P01', '42703', 'XX000'].map(
      (state): [string, Refusal] => [
        `a trigger that raises ${state}`,
        { ddl: before(raise(state)), bad: BAD, reason: new RegExp(`^not this one.*${state}`) },
      ],
    ),
  ),
  'a trigger with a failed assertion': {
    ddl: before(`ASSERT false, 'no';`),
    bad: BAD,
    reason: /^no.*P0004/,
  },
  'a trigger that uses a missing table named by the row': {
    ddl: before(`EXECUTE 'INSERT INTO ' || quote_ident(NEW."Status") || ' VALUES (1)';`),
    bad: BAD,
    reason: /relation "bad" does not exist.*42P01/,
  },
  'a statement trigger': {
    ddl: `
      CREATE FUNCTION %F() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF EXISTS (SELECT FROM written WHERE "Status" = 'bad') THEN ${raise('KD002')} END IF;
        RETURN NULL;
      END $$;
      CREATE TRIGGER refusing AFTER INSERT ON %T REFERENCING NEW TABLE AS written
        FOR EACH STATEMENT EXECUTE FUNCTION %F();`,
    bad: BAD,
    reason: /KD002/,
  },
  'a constraint trigger at the end of the transaction': {
    ddl: deferred(raise('KD003')),
    bad: BAD,
    reason: /^not this one.*KD003/,
  },
  'a check': {
    ddl: `ALTER TABLE %T ADD CONSTRAINT own CHECK ("Status" <> 'bad');`,
    bad: BAD,
    reason: /check constraint "own".*23514/,
  },
  'a foreign key': {
    ddl: 'ALTER TABLE %T ADD CONSTRAINT own FOREIGN KEY ("Antall") REFERENCES public.known;',
    bad: { Antall: '77' },
    reason: /foreign key constraint "own".*23503/,
  },
  'a foreign key at the end of the transaction': {
    ddl: `ALTER TABLE %T ADD CONSTRAINT own FOREIGN KEY ("Antall") REFERENCES public.known
      DEFERRABLE INITIALLY DEFERRED;`,
    bad: { Antall: '77' },
    reason: /foreign key constraint "own".*23503/,
  },
  'a unique constraint at the end of the transaction': {
    ddl: `ALTER TABLE %T ADD UNIQUE ("Tekst") DEFERRABLE INITIALLY DEFERRED;
      INSERT INTO %T ("OrderID", "LinjeNr", "Status", "Tekst", "_customer_id")
      VALUES (1000, 1, 'first', 'taken', gen_random_uuid());`,
    bad: { Tekst: 'taken' },
    reason: /unique constraint .*23505/,
  },
  'an exclusion constraint': {
    ddl: `ALTER TABLE %T ADD EXCLUDE USING btree ("Tekst" WITH =);
      INSERT INTO %T ("OrderID", "LinjeNr", "Status", "Tekst", "_customer_id")
      VALUES (1000, 1, 'first', 'taken', gen_random_uuid());`,
    bad: { Tekst: 'taken' },
    reason: /exclusion constraint .*23P01/,
  },
  'a generated column': {
    ddl: 'ALTER TABLE %T ADD COLUMN often smallint GENERATED ALWAYS AS (("Antall" * 3000)::smallint) STORED;',
    bad: { Antall: '20' },
    reason: /smallint out of range.*22003/,
  },
  'a row-level security policy': {
    ddl: `ALTER TABLE %T ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY own ON %T USING (true) WITH CHECK ("Status" <> 'bad');`,
    bad: BAD,
    reason: /row-level security policy.*42501/,
  },
};

/** Errors that a trigger raises as if they were caused by the server or the table, not by an event. */
const FAULTS: readonly (readonly [string, string])[] = [
  ['serialization_failure', '40001'],
  ['deadlock_detected', '40P01'],
  ['lock_not_available', '55P03'],
  ['object_in_use', '55006'],
  ['disk_full', '53100'],
  ['out_of_memory', '53200'],
  ['too_many_connections', '53300'],
  ['io_error', '58030'],
  ['data_corrupted', 'XX001'],
  ['connection_failure', '08006'],
  ['read_only_sql_transaction', '25006'],
];

/** Errors of every row that are caused by a structure. */
const STRUCTURES: Readonly<Record<string, readonly [string, string]>> = {
  'a trigger that reads a missing table': [
    before('')
      .replace('IF NEW', 'PERFORM * FROM public.gone; IF NEW')
      .replace('THEN', 'THEN NULL;'),
    'CREATE TABLE public.gone (n integer)',
  ],
  'a trigger that calls a missing function': [
    before('').replace('IF NEW', 'PERFORM public.gone(); IF NEW').replace('THEN', 'THEN NULL;'),
    `CREATE FUNCTION public.gone() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
  ],
  'a trigger that reads a missing column': [
    before('')
      .replace('IF NEW', 'IF NEW."Gone" IS NULL THEN NULL; END IF; IF NEW')
      .replace('THEN END', 'THEN NULL; END'),
    'ALTER TABLE %T ADD COLUMN "Gone" text',
  ],
  'a missing privilege of the owner': [
    'REVOKE INSERT ON %T FROM CURRENT_USER;',
    'GRANT INSERT ON %T TO CURRENT_USER',
  ],
  'a missing column': [
    'ALTER TABLE %T RENAME COLUMN "Notat" TO "Note";',
    'ALTER TABLE %T RENAME COLUMN "Note" TO "Notat"',
  ],
  'a renamed table': [
    'ALTER TABLE %T RENAME TO "moved";',
    'ALTER TABLE "kunde-å"."moved" RENAME TO %N',
  ],
  'a column that became generated': [
    'ALTER TABLE %T DROP COLUMN "Antall"; ALTER TABLE %T ADD COLUMN "Antall" smallint GENERATED ALWAYS AS (1) STORED;',
    'ALTER TABLE %T ALTER COLUMN "Antall" DROP EXPRESSION',
  ],
};

let target: MergeTarget;
let sink: Sql;
let owner: Sql;
beforeAll(async () => {
  target = await startMergeTarget();
  ({ sink, owner } = target);
  await target.apply(orderTable('other'));
  const superuser = target.server.connect({ database: target.database, max: 1 });
  await superuser`GRANT CREATE ON SCHEMA public TO PUBLIC`;
  await owner`CREATE TABLE public.known AS SELECT 2::smallint AS n`;
  await owner`ALTER TABLE public.known ADD PRIMARY KEY (n)`;
});
beforeEach(() => owner`TRUNCATE cdc_management.dead_letter, cdc_management.merge_error`);
afterEach(() => owner`DELETE FROM cdc_management.merge_control WHERE table_name <> 'other'`);
afterAll(() => target.stop());

let created = 0;
/** Creates a new table with objects of users. */
async function create(ddl: string): Promise<ReplicatedTable> {
  const table = orderTable(`refusing ${++created}`);
  await target.apply(table);
  await change(table, ddl);
  return table;
}

const change = (table: ReplicatedTable, ddl: string) =>
  owner.unsafe(
    ddl
      .replaceAll('%T', quoteQualified(TENANT, table.name))
      .replaceAll('%N', `"${table.name}"`)
      .replaceAll('%F', quoteQualified(TENANT, `of ${table.name}`)),
  );

const goodEvents = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) =>
    orderEvent({
      ...{ OrderID: String(first + n), Tekst: String(first + n) },
      ...{ __cdc_operation: 'c', __kafka_offset: String(first + n) },
    }),
  );
const stage = (table: ReplicatedTable, ...events: readonly ReturnType<typeof orderEvent>[]) =>
  stageEvents(sink, TENANT, table, events);
let others = 0;
/** Stages an event for a table that must not fail. */
const stageOther = () => stage(orderTable('other'), ...goodEvents(++others, 1));
const runPending = () => sink`CALL cdc_management.run_pending_merges()`.simple();
const ordersOf = async ({ name }: ReplicatedTable) => {
  const rows = await owner.unsafe<{ n: number }[]>(
    `SELECT "OrderID" AS n FROM ${quoteQualified(TENANT, name)} WHERE "OrderID" < 1000 ORDER BY 1`,
  );
  return rows.map(({ n }) => n);
};
const deadLetters = async () =>
  owner<{ table: string; at: number; reason: string }[]>`
    SELECT table_name AS table, kafka_offset::integer AS at, reason FROM cdc_management.dead_letter ORDER BY 1, 2`;
const errors = async () =>
  owner<{ table: string; state: string }[]>`
    SELECT table_name AS table, sqlstate AS state FROM cdc_management.merge_error ORDER BY 1, 2`;
const expectOthersMerged = async () => {
  expect(await ordersOf(orderTable('other'))).toHaveLength(others);
};

describe('an event that the final table refuses because of', () => {
  describe.each(Object.entries(REFUSALS))('%s', (_what, { ddl, bad, reason }) => {
    const badEvent = (offset: number) =>
      orderEvent({ OrderID: String(offset), __kafka_offset: String(offset), ...bad });

    it('becomes a dead letter, and other events of its batch and of other tables are merged', async () => {
      const table = await create(ddl);
      await stage(table, ...goodEvents(1, 20), badEvent(21), ...goodEvents(22, 20));
      await stageOther();
      await runPending();
      expect(await deadLetters()).toEqual([
        { table: table.name, at: 21, reason: expect.stringMatching(reason) as unknown },
      ]);
      expect(await errors()).toEqual([]);
      expect(await ordersOf(table)).toEqual(
        [...goodEvents(1, 20), ...goodEvents(22, 20)].map(({ offset }) => offset),
      );
      expect(await readProcessingLog(owner, TENANT, table.name)).toEqual({
        ...{ events: 41, merged: 40, deleted: 0, stale: 0, dead: 1, wrongRows: 0 },
      });
      await expectOthersMerged();
    });

    it('becomes a dead letter when only its table is merged, and when it is replayed', async () => {
      const table = await create(ddl);
      await stage(table, ...goodEvents(1, 3), badEvent(4));
      await mergeTable(sink, TENANT, table);
      expect(await ordersOf(table)).toEqual([1, 2, 3]);
      if (!/42P|427|55000|0A000|XX000/.test(String(reason))) {
        expect(await replayDeadLetters(owner, TENANT, table)).toMatchObject({
          ...{ replayed: 1, merged: 0, dead: 1 },
        });
      }
      expect(await deadLetters()).toEqual([
        { table: table.name, at: 4, reason: expect.stringMatching(reason) as unknown },
      ]);
    });
  });

  it('each of these reasons becomes a dead letter if it is alone in its batch', async () => {
    for (const [what, { ddl, bad, reason }] of Object.entries(REFUSALS)) {
      if (/(42P|427|55000|0A000|XX000)/.test(String(reason))) continue;
      const table = await create(ddl);
      await stage(table, orderEvent({ OrderID: '5', __kafka_offset: '5', ...bad }));
      await runPending();
      expect([what, (await deadLetters()).filter((row) => row.table === table.name)]).toEqual([
        what,
        [{ table: table.name, at: 5, reason: expect.stringMatching(reason) as unknown }],
      ]);
    }
    expect(await errors()).toEqual([]);
  });

  it('an error in a trigger becomes a dead letter, even if 500 such events come first', async () => {
    const table = await create(
      REFUSALS['a trigger that uses a missing table named by the row']!.ddl,
    );
    const bad = goodEvents(1, 500).map((event) => ({
      ...event,
      values: { ...event.values, ...BAD },
    }));
    await stage(table, ...bad, ...goodEvents(501, 5));
    await runPending();
    expect(await ordersOf(table)).toEqual([501, 502, 503, 504, 505]);
    expect(await deadLetters()).toHaveLength(500);
    expect(await errors()).toEqual([]);
  });

  it('a trigger that forbids deletes becomes a dead letter, and its row is kept', async () => {
    const table = await create(`
      CREATE FUNCTION %F() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF OLD."OrderID" = 2 THEN ${raise('KD004')} END IF;
        RETURN OLD;
      END $$;
      CREATE TRIGGER refusing BEFORE DELETE ON %T FOR EACH ROW EXECUTE FUNCTION %F();`);
    await stage(table, ...goodEvents(1, 3));
    await runPending();
    const deletes = [1, 2, 3].map((key) =>
      orderEvent({ OrderID: String(key), __cdc_operation: 'd', __kafka_offset: String(key + 10) }),
    );
    await stage(table, ...deletes);
    await runPending();
    expect(await ordersOf(table)).toEqual([2]);
    expect(await deadLetters()).toEqual([
      { table: table.name, at: 12, reason: expect.stringMatching(/KD004/) as unknown },
    ]);
  });

  it('a check becomes a dead letter with its dependents, and other dependent events are merged', async () => {
    const table = await create(`
      ALTER TABLE %T ADD UNIQUE ("LinjeNr");
      ALTER TABLE %T ADD CONSTRAINT parent FOREIGN KEY ("Antall") REFERENCES %T ("LinjeNr") DEFERRABLE INITIALLY DEFERRED;
      ALTER TABLE %T ADD CONSTRAINT own CHECK ("Status" <> 'bad');`);
    const line = (key: number, parent: number | null, values: Values = {}) =>
      orderEvent({
        ...{ OrderID: String(key), LinjeNr: String(key), __kafka_offset: String(key) },
        ...{ Antall: parent === null ? null : String(parent), ...values },
      });
    await stage(
      table,
      ...[line(1, 4), line(2, 3), line(3, 1), line(4, null), line(5, null, BAD), line(6, 9)],
      ...[line(7, 8), line(8, 5), line(9, 2)],
    );
    await runPending();
    expect(await ordersOf(table)).toEqual([1, 2, 3, 4, 6, 9]);
    expect((await deadLetters()).map(({ at }) => at)).toEqual([5, 7, 8]);
    expect(await errors()).toEqual([]);
  });
});

describe('a row that a trigger of the final table skips', () => {
  it('counts as stale, because its event changes nothing', async () => {
    const table = await create(before('RETURN NULL;'));
    await stage(
      table,
      ...goodEvents(1, 3),
      orderEvent({ OrderID: '4', __kafka_offset: '4', ...BAD }),
    );
    await runPending();
    expect(await ordersOf(table)).toEqual([1, 2, 3]);
    expect(await deadLetters()).toEqual([]);
    expect(await errors()).toEqual([]);
    expect(await readProcessingLog(owner, TENANT, table.name)).toEqual({
      ...{ events: 4, merged: 3, deleted: 0, stale: 1, dead: 0, wrongRows: 0 },
    });
  });
});

describe('an error that no event has caused is recorded, loses no event and stops no other table:', () => {
  const expectRecovery = async (table: ReplicatedTable, state: unknown, repair: string) => {
    await stage(table, ...goodEvents(1, 40));
    await stageOther();
    await runPending();
    expect(await deadLetters()).toEqual([]);
    expect(await errors()).toEqual([{ table: table.name, state }]);
    await expectOthersMerged();
    await change(table, repair);
    await runPending();
    expect(await ordersOf(table)).toHaveLength(40);
    expect(await deadLetters()).toEqual([]);
  };

  it.each(FAULTS)('%s', async (_name, state) => {
    const table = await create(
      before('').replace(/IF NEW.*END IF;/s, `IF NEW."OrderID" = 30 THEN ${raise(state)} END IF;`),
    );
    await expectRecovery(table, state, 'DROP TRIGGER refusing ON %T');
  });

  it.each(Object.entries(STRUCTURES))('%s', async (_what, [ddl, repair]) => {
    const table = await create(ddl);
    await expectRecovery(table, expect.stringMatching(/^42/), repair);
  });
});

describe('violations of deferred constraints by the caller of a replay', () => {
  it('are raised, and cause no dead letters', async () => {
    const table = await create(REFUSALS['a foreign key at the end of the transaction']!.ddl);
    await stage(
      table,
      ...goodEvents(1, 1),
      orderEvent({ OrderID: '2', Antall: '77', __kafka_offset: '2' }),
    );
    await runPending();
    const before = await deadLetters();
    await owner`INSERT INTO public.known VALUES (77)`;
    const replay = owner.begin('isolation level repeatable read', async (transaction) => {
      await transaction.unsafe(
        `UPDATE ${quoteQualified(TENANT, table.name)} SET "Antall" = 99 WHERE "OrderID" = 1`,
      );
      await transaction`SELECT cdc_management.replay_dead_letters(${TENANT}, ${table.name}, 1000000)`;
    });
    await expect(replay).rejects.toMatchObject({ code: '23503' });
    expect(await deadLetters()).toEqual(before);
    await replayDeadLetters(owner, TENANT, table);
    expect(await ordersOf(table)).toEqual([1, 2]);
    await owner`DELETE FROM public.known WHERE n = 77`.catch(() => {});
  });
});
