import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildStagingColumns,
  type ChangeClass,
  diffTables,
  KAFKA_TIMESTAMP,
  METADATA_COLUMNS,
  worstClass,
} from '@cdc-migrations/table-defs';
import { type CaseState, readCaseStates } from './evolution-case.fixture.ts';
import {
  differencesFromCreated,
  type EvolutionTarget,
  planColumns,
  stageSql,
  stagingFile,
  startEvolutionTarget,
  tableFile,
} from './evolution.fixture.ts';
import { mergeTable } from './merge-table.ts';

const CASES = join(__dirname, '..', 'cases');
const TENANT = 'tenant';
const CREATED = 'created';

/**
 * Every folder of `cases` has a table before and after a change, events to merge and events that wait. Its
 * `expected.txt` has the plan, the outcome, and the resulting rows and events. UPDATE_CASES=1 writes it. The offline
 * result of `diff` for the same change is compared with the outcome.
 */
describe('a table that changes', () => {
  let target: EvolutionTarget;
  let offset = 0;
  beforeAll(async () => {
    target = await startEvolutionTarget(15, [TENANT, CREATED]);
  });
  afterEach(async () => {
    await target.run(`DROP SCHEMA ${TENANT}, ${CREATED} CASCADE; CREATE SCHEMA ${TENANT}; CREATE SCHEMA ${CREATED};
      TRUNCATE cdc_management.column_note, cdc_management.added_column, cdc_management.dead_letter,
        cdc_management.stream_coverage, cdc_management.tombstone, cdc_management.merge_control CASCADE`);
  });
  afterAll(() => target.stop());

  test.each(readdirSync(CASES))('%s', async (name) => {
    const states = readCaseStates(join(CASES, name));
    const after = states.at(-1)!;
    for (const state of states.slice(0, -1)) {
      await target.run(tableFile(TENANT, state.table) + stagingFile(TENANT, state.table));
      await stage(state, state.merged);
      await mergeTable(target.sql, TENANT, state.table);
      await stage(state, state.staged);
    }
    if (after.manual) await target.run(after.manual);
    const plan = await describePlans(after);
    const refusal = await converge(after);
    // Only the target knows about manual changes, and about columns that were added again.
    const offline = [states[0]!, states.at(-2)!].map((before) => offlineClass(before, after));
    if (!after.manual) expect(offline).toContain(classOf(refusal));
    const lines = [
      ...plan,
      ...refusal,
      ...(await describeNotes()),
      ...(await describeBackfill('backfill needed')),
    ];
    if (!refusal.some((line) => line.startsWith('refused'))) {
      await target.run(tableFile(CREATED, after.table) + stagingFile(CREATED, after.table));
      expect(await differencesFromCreated(target.sql, CREATED, [TENANT])).toEqual([]);
      expect(await converge(after)).toEqual(['T is read', 'stg_T is read']);
      await stage(after, after.staged);
    }
    await mergeTable(target.sql, TENANT, after.table).catch(() => undefined);
    lines.push(...(await describeRows()), ...(await describeBackfill('backfill still needed')));
    const text = `${lines.join('\n')}\n`;
    const expected = join(CASES, name, 'expected.txt');
    if (process.env['UPDATE_CASES']) writeFileSync(expected, text);
    expect(text).toBe(readFileSync(expected, 'utf8'));
  });

  async function stage({ table }: CaseState, events: CaseState['staged']): Promise<void> {
    for (const values of events) await target.run(stageSql(TENANT, table, (offset += 1), values));
  }

  async function describePlans({ table }: CaseState): Promise<readonly string[]> {
    const { sql } = target;
    const staging = JSON.stringify(
      buildStagingColumns(table).map(({ name, type, default: initial = null }) => [
        name,
        type,
        false,
        initial,
      ]),
    );
    const key = JSON.stringify(table.key?.columns ?? []);
    const rows = await sql<{ table: string; class: string; clause: string; detail: string }[]>`
      SELECT 'T' AS table, class, clause, coalesce(column_name || ' ', '') || detail AS detail
      FROM cdc_management.plan_table(${TENANT}, 'T', ${planColumns(table)}::text::jsonb,
        (SELECT array_agg(name) FROM jsonb_array_elements_text(${key}::text::jsonb) AS name))
      UNION ALL
      SELECT 'stg_T', class, clause, coalesce(column_name || ' ', '') || detail
      FROM cdc_management.plan_staging(${TENANT}, 'stg_T', ${staging}::text::jsonb)`;
    return rows.map(
      (row) =>
        `plan ${row.table}, ${row.class}: ${row.clause ?? '-'}${row.detail ? ` -- ${row.detail}` : ''}`,
    );
  }

  /** Applies both files, each in its own transaction. Skips a staging file if its table is refused. */
  async function converge({ table }: CaseState): Promise<readonly string[]> {
    const files = [
      ['T', tableFile(TENANT, table)],
      ['stg_T', stagingFile(TENANT, table)],
    ] as const;
    const lines: string[] = [];
    for (const [name, text] of files) {
      try {
        lines.push(
          await target.sql.begin(async (transaction) => {
            const node = () => transaction<{ node: string }[]>`
            SELECT pg_relation_filenode(${`${TENANT}."${name}"`}::text::regclass)::text AS node`;
            const before = await node();
            await transaction.unsafe(text).simple();
            const [{ locked } = { locked: false }] = await transaction<{ locked: boolean }[]>`
            SELECT bool_or(mode = 'AccessExclusiveLock') AS locked FROM pg_locks
            WHERE pid = pg_backend_pid() AND relation = ${`${TENANT}."${name}"`}::text::regclass`;
            const rewritten = (await node())[0]?.node !== before[0]?.node;
            return `${name} is ${rewritten ? 'rewritten' : locked ? 'locked' : 'read'}`;
          }),
        );
      } catch (error) {
        const { code, message, detail, hint } = error as Record<string, string>;
        return [...lines, `refused ${code}: ${message}`, `  ${detail}`, `  ${hint}`];
      }
    }
    return lines;
  }

  async function describeNotes(): Promise<readonly string[]> {
    const rows = await target.sql<{ line: string }[]>`
      SELECT concat_ws(': ', table_name || '.' || column_name || ' ' || state, statement) AS line
      FROM cdc_management.column_note ORDER BY 1`;
    return rows.map(({ line }) => `note ${line}`);
  }

  async function describeBackfill(what: string): Promise<readonly string[]> {
    const rows = await target.sql<{ line: string }[]>`
      SELECT format('%s.%s: %s rows', table_name, column_name, unfilled_rows) AS line
      FROM cdc_management.backfill_needed ORDER BY 1`;
    return rows.map(({ line }) => `${what} ${line}`);
  }

  async function describeRows(): Promise<readonly string[]> {
    const { sql } = target;
    const names = [...METADATA_COLUMNS, KAFKA_TIMESTAMP].map(({ name }) => name);
    const metadata = `{${names.join(',')}}`;
    const rows = await sql<{ line: string }[]>`
      SELECT 'row ' || (to_jsonb(t) - ${metadata}::text[])::text AS line FROM tenant."T" AS t ORDER BY id, 1`;
    const staged = await sql<{ line: string }[]>`
      SELECT 'still staged ' || (to_jsonb(t) - ${metadata}::text[])::text AS line
      FROM tenant."stg_T" AS t ORDER BY id, 1`;
    const deadLetters = await sql<{ line: string }[]>`
      SELECT 'dead letter ' || (payload - ${metadata}::text[])::text || ': ' || reason AS line
      FROM cdc_management.dead_letter ORDER BY payload ->> 'id', 1`;
    return [...rows, ...staged, ...deadLetters].map(({ line }) => line);
  }
});

/** Returns the class that `diff` reports without a target. */
function offlineClass(before: CaseState, after: CaseState): ChangeClass {
  return worstClass(diffTables([before.table], [after.table]).map((change) => change.class));
}

/** Returns the class of a change in the target. */
function classOf(lines: readonly string[]): ChangeClass {
  const has = (text: string) => lines.some((line) => line.includes(text));
  if (has('refused CD005')) return 'unsafe';
  if (has(' is rewritten')) return 'rewrite';
  return has(' is locked') ? 'free' : 'informational';
}
