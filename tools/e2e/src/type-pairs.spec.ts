import { createRandom, chooseSeed } from '@cdc-migrations/event-model';
import {
  type EvolutionTarget,
  stagingFile,
  startEvolutionTarget,
  tableFile,
} from './evolution.fixture.ts';
import {
  buildPairs,
  buildSafeTables,
  buildUnsafeTables,
  listTypes,
  type PairTable,
  stagePairs,
  valuesQuery,
} from './type-pairs.fixture.ts';

const TENANT = 'tenant';
const PAIRS = buildPairs(listTypes());
const SAFE = buildSafeTables(PAIRS);
const UNSAFE = buildUnsafeTables(PAIRS);
const TABLES = [...SAFE, ...UNSAFE];

/** Observed change of a relation. */
interface Seen {
  readonly name: string;
  readonly locked: boolean;
  readonly rewritten: boolean;
}

/** `CDC_TYPE_PAIRS=all` adds 18. */
const MAJORS = process.env['CDC_TYPE_PAIRS'] === 'all' ? ([15, 18] as const) : ([15] as const);

describe.each(MAJORS)('every pair of types on PostgreSQL %i', (major) => {
  let target: EvolutionTarget;
  const random = createRandom(chooseSeed());
  beforeAll(async () => {
    target = await startEvolutionTarget(major, [TENANT]);
    await runEach(TABLES, ({ before }) => tableFile(TENANT, before) + stagingFile(TENANT, before));
    await runEach(TABLES, (table) => stagePairs(TENANT, table, { first: 1, random }));
    await target.sql.unsafe('CALL cdc_management.run_pending_merges()').simple();
    await target.run(
      'CREATE TABLE public.earlier (table_name text, id integer, name text, value text)',
    );
    await runEach(SAFE, (table) => `INSERT INTO public.earlier ${valuesQuery(TENANT, table)};`);
    await runEach(TABLES, (table) => stagePairs(TENANT, table, { first: 1001, random }));
    await target.run(`CREATE TABLE public.node AS
      SELECT oid, relname::text AS name, pg_relation_filenode(oid) AS node FROM pg_class
      WHERE relnamespace = '${TENANT}'::regnamespace`);
  });
  afterAll(() => target.stop());

  /** Runs a text for each table, all in one transaction. */
  const runEach = (tables: readonly PairTable[], text: (table: PairTable) => string) =>
    target.run(tables.map(text).join('\n'));

  const afterFiles = ({ after }: PairTable) =>
    tableFile(TENANT, after) + stagingFile(TENANT, after);

  it('is changed as predicted and without lost values if it is safe', async () => {
    const seen = await target.sql.begin(async (transaction) => {
      await transaction.unsafe(SAFE.map(afterFiles).join('\n')).simple();
      return transaction<Seen[]>`
        SELECT node.name, pg_relation_filenode(node.oid) IS DISTINCT FROM node.node AS rewritten,
          EXISTS (SELECT FROM pg_locks WHERE relation = node.oid AND pid = pg_backend_pid()
            AND mode = 'AccessExclusiveLock') AS locked
        FROM public.node`;
    });
    const byName = new Map(seen.map((one) => [one.name, one]));
    expect(SAFE.map((table) => describeSeen(table, byName))).toEqual(SAFE.map(describePredicted));
    await expectTypes(SAFE);
    const lost = await target.sql.unsafe(
      `SELECT table_name, id, name, value FROM public.earlier EXCEPT (${SAFE.map((table) => valuesQuery(TENANT, table)).join('\nUNION ALL\n')})`,
    );
    expect(lost).toEqual([]);
  });

  it('is refused if it is not safe', async () => {
    const tables = PAIRS.map((pairs, row) => ({ name: `wide_${row}`, pairs }));
    const creates = tables.map(({ name, pairs }) => {
      const columns = pairs.map((pair) => `${pair.name} ${pair.from}`).join(', ');
      return `CREATE TABLE ${TENANT}.${name} (id integer PRIMARY KEY, ${columns});`;
    });
    await target.run(creates.join('\n') + REFUSAL);
    const calls = tables.map(({ name, pairs }) => ({
      table: name,
      columns: [
        ['id', 'integer', true, null],
        ...pairs.map((pair) => [pair.name, pair.to, false, null]),
      ],
    }));
    const answers = await target.sql<{ unsafe: string[]; refusal: string }[]>`
      SELECT public.refusal(call ->> 'table', call -> 'columns') AS refusal, (
        SELECT jsonb_agg(column_name || ' ' || detail)
        FROM cdc_management.plan_table(${TENANT}, call ->> 'table', call -> 'columns', ARRAY['id'])
        WHERE class = 'unsafe') AS unsafe
      FROM jsonb_array_elements(${JSON.stringify(calls)}::text::jsonb) AS call`;
    const expected = tables.map(({ name, pairs }) => {
      const unsafe = pairs.filter((pair) => pair.class === 'unsafe');
      const problems = unsafe.map(
        (pair) => `${pair.name} ${pair.from} to ${pair.to} could lose values`,
      );
      const [first] = unsafe;
      const message = `column ${first?.name}: ${first?.from} to ${first?.to} could lose values`;
      return {
        refusal: `CD005 ${TENANT} ${name} ${first?.name}: table ${TENANT}.${name} ${message}`,
        unsafe: problems,
      };
    });
    expect(answers).toEqual(expected);
  });

  it('changed by hand is changed in staging too, and every event is merged or a dead letter', async () => {
    await runEach(UNSAFE, ({ before, pairs }) => {
      const clauses = pairs.map(({ name, to }) => `ALTER COLUMN ${name} TYPE ${to} USING NULL`);
      return `ALTER TABLE ${TENANT}.${before.name} ${clauses.join(', ')};`;
    });
    await runEach(UNSAFE, afterFiles);
    await expectTypes(UNSAFE);
    await target.sql.unsafe('CALL cdc_management.run_pending_merges()').simple();
    const [left] = await target.sql`SELECT * FROM cdc_management.merge_error`;
    expect(left).toBeUndefined();
    const counts = await target.sql<{ name: string; rows: number; dead: number; staged: number }[]>`
      SELECT table_name AS name,
        (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', schema_name, table_name), false, true, '')))[1]::text::int AS rows,
        (SELECT count(*)::int FROM cdc_management.dead_letter AS letter WHERE letter.table_name = control.table_name) AS dead,
        (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I.%I', schema_name, staging_name), false, true, '')))[1]::text::int AS staged
      FROM cdc_management.merge_control AS control ORDER BY table_id`;
    const found = new Map(counts.map(({ name, ...rest }) => [name, rest]));
    const wrong = TABLES.filter(({ before: { name }, pairs }) => {
      const { rows = 0, dead = 0, staged = 0 } = found.get(name) ?? {};
      const isKept = staged === 0 && rows + dead === 2 * pairs.length;
      return !isKept || (!name.startsWith('unsafe') && dead > 0);
    });
    expect(wrong.map(({ before: { name } }) => ({ name, ...found.get(name) }))).toEqual([]);
    if (major === 18) await expectNoNeedlessDeadLetters();
  });

  /** Expects that texts in dead letters are invalid for their new type. */
  async function expectNoNeedlessDeadLetters(): Promise<void> {
    const types = UNSAFE.flatMap(({ before, pairs }) =>
      pairs
        .filter(({ from }) => from === 'text')
        .map(({ name, to }) => ({ table: before.name, column: name, type: to })),
    );
    const needless = await target.sql`
      SELECT letter.table_name, pair ->> 'type' AS type, letter.payload ->> (pair ->> 'column') AS value, reason
      FROM cdc_management.dead_letter AS letter
      JOIN jsonb_array_elements(${JSON.stringify(types)}::text::jsonb) AS pair ON pair ->> 'table' = letter.table_name
      WHERE letter.payload ->> (pair ->> 'column') IS NOT NULL
        AND pg_input_is_valid(letter.payload ->> (pair ->> 'column'), pair ->> 'type')`;
    expect(needless).toEqual([]);
  }

  async function expectTypes(tables: readonly PairTable[]): Promise<void> {
    const rows = await target.sql<{ name: string; columns: string[] }[]>`
      SELECT relname AS name, jsonb_agg(attname || ' ' || format_type(atttypid, atttypmod) ORDER BY attnum) AS columns
      FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
      WHERE relnamespace = ${TENANT}::text::regnamespace AND relkind = 'r' AND attnum > 0 GROUP BY relname`;
    const found = new Map(rows.map(({ name, columns }) => [name, columns]));
    for (const { after } of tables) {
      expect(found.get(after.name)).toEqual(
        after.columns.map(({ name, type }) => `${name} ${type}`),
      );
    }
  }
});

function describeSeen({ before: { name, names } }: PairTable, seen: ReadonlyMap<string, Seen>) {
  const [final, staging] = [seen.get(name), seen.get(names.staging)];
  const indexes = [seen.get(names.primaryKey), seen.get(names.syncIndex)];
  const rewritten = [final, staging, ...indexes].some((one) => one?.rewritten);
  return { name, locked: final?.locked ?? false, rewritten };
}

function describePredicted({ before: { name }, pairs }: PairTable) {
  const has = (one: string) => pairs.some((pair) => pair.class === one);
  return { name, locked: has('free') || has('rewrite'), rewritten: has('rewrite') };
}

/** A function that returns the refusal for the columns of a table. */
const REFUSAL = `CREATE FUNCTION public.refusal(p_table text, p_columns jsonb) RETURNS text LANGUAGE plpgsql AS $$
  DECLARE v_schema text; v_table text; v_column text;
  BEGIN
    CALL cdc_management.converge_table('${TENANT}', p_table, p_columns, ARRAY['id']);
    RETURN 'not refused';
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_schema = SCHEMA_NAME, v_table = TABLE_NAME, v_column = COLUMN_NAME;
    RETURN format('%s %s %s %s: %s', SQLSTATE, v_schema, v_table, v_column, SQLERRM);
  END $$`;
