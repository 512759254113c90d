import { createRandom, type Random, chooseSeed } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import {
  type ChangeClass,
  diffTables,
  type ReplicatedTable,
  worstClass,
} from '@cdc-migrations/table-defs';
import { buildEvent, buildWalk } from './evolution-walk.fixture.ts';
import {
  differencesFromCreated,
  type EvolutionTarget,
  planColumns,
  stageSql,
  stagingFile,
  startEvolutionTarget,
  tableFile,
} from './evolution.fixture.ts';

/** Number of walks. `npm run soak` runs more. */
const WALKS = Number(process.env['CDC_EVOLUTION_WALKS'] ?? 6);
const LONGEST = 10;
const STARTS = Array.from({ length: LONGEST + 1 }, (_, step) => `from_${step}`);
/** A target that goes through every step, and one that is created from the last. */
const [ALL, CREATED] = ['all_steps', 'made'] as const;
const EVENTS = 3;
/** Seeds of walks that failed before: a table without a key that gets one again. */
const FOUND = [1367667758];

describe('a table that goes through random changes', () => {
  let target: EvolutionTarget;
  let offset = 0;
  /** Number of staged events by schema. */
  let staged = new Map<string, number>();
  beforeAll(async () => {
    target = await startEvolutionTarget(15, [...STARTS, ALL, CREATED]);
  });
  afterAll(() => target.stop());

  it(
    'ends like a table that is created from the last definition, from every start',
    async () => {
      const seed = chooseSeed();
      const failures: string[] = [];
      for (let walk = -FOUND.length; walk < WALKS; walk++) {
        const random = createRandom(walk < 0 ? FOUND.at(walk)! : seed + walk);
        const steps = buildWalk('t', random);
        const problems = await play(steps, random).catch((error: unknown) => [String(error)]);
        await drop(steps[0]!);
        const found = problems.map((problem) => `walk ${walk} of seed ${seed}: ${problem}`);
        failures.push(...found);
        if (WALKS > 50) process.stderr.write(found.join('\n') || `walk ${walk}: no difference\n`);
      }
      expect(failures).toEqual([]);
    },
    600_000 + WALKS * 30_000,
  );

  /** Converges targets to the last of several definitions. Returns deviations from the expected state. */
  async function play(
    steps: readonly ReplicatedTable[],
    random: Random,
  ): Promise<readonly string[]> {
    const [first, last] = [steps[0]!, steps.at(-1)!];
    const starts = steps.slice(0, -1).map((table, step) => ({ schema: STARTS[step]!, table }));
    staged = new Map();
    for (const { schema, table } of [
      ...starts,
      { schema: ALL, table: first },
      { schema: CREATED, table: last },
    ]) {
      await target.run(filesOf(schema, table));
      await stage(schema, table, random);
    }
    await merge();
    const deviations: string[] = [];
    for (const { schema, table } of starts) {
      await stage(schema, table, random);
      deviations.push(...(await deviationsFromDiff(schema, table, last)));
      await migrate(schema, last);
      await stage(schema, last, random);
    }
    for (const table of steps.slice(1)) {
      await stage(ALL, table === first ? first : steps[steps.indexOf(table) - 1]!, random);
      await migrate(ALL, table);
      if (random.chance(0.5)) await merge();
    }
    await merge();
    const schemas = [...starts.map(({ schema }) => schema), ALL];
    return [
      ...deviations,
      ...(await differencesFromCreated(target.sql, CREATED, schemas)),
      ...(await lostEvents(schemas, last)),
      ...(await locksOfSecondRun(schemas, last)),
      ...(await mergeErrors()),
    ];
  }

  /** Removes a table and its bookkeeping from all targets. */
  async function drop({ name, names }: ReplicatedTable): Promise<void> {
    const drops = [...STARTS, ALL, CREATED].map(
      (schema) => `DROP TABLE IF EXISTS ${schema}.${name}, ${schema}.${names.staging};
        DROP PROCEDURE IF EXISTS ${schema}.${names.mergeProcedure};
        DROP FUNCTION IF EXISTS ${schema}.${names.mergeWindow};`,
    );
    await target.run(`${drops.join('\n')} TRUNCATE cdc_management.column_note, cdc_management.added_column,
      cdc_management.dead_letter, cdc_management.stream_coverage, cdc_management.processing_log,
      cdc_management.tombstone, cdc_management.value_position, cdc_management.merge_control`);
  }

  async function stage(schema: string, table: ReplicatedTable, random: Random): Promise<void> {
    const events = Array.from({ length: EVENTS }, () => {
      const id = (offset += 1);
      return stageSql(schema, table, id, buildEvent(table, { id, random }));
    });
    staged.set(schema, (staged.get(schema) ?? 0) + EVENTS);
    await target.run(events.join(''));
  }

  async function merge(): Promise<void> {
    await target.sql.unsafe('CALL cdc_management.run_pending_merges()').simple();
  }

  /** Applies the files. If they are refused, makes the manual change and applies them again. */
  async function migrate(schema: string, table: ReplicatedTable): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return await target.run(filesOf(schema, table));
      } catch (error) {
        const { code, column_name: column } = error as { code: string; column_name: string };
        if (code !== 'CD005' || tries > table.columns.length) throw error;
        await target.run(
          column === '' ? rekeySql(schema, table) : retypeSql(schema, table, column),
        );
      }
    }
  }

  /**
   * Applies the files and lists deviations of the target from the offline result of `diff`: it refuses a safe change,
   * makes an unsafe one, or rewrites a table. A new key is ignored,
   * because the files add a missing key. A user may have dropped it.
   */
  async function deviationsFromDiff(
    schema: string,
    before: ReplicatedTable,
    after: ReplicatedTable,
  ): Promise<readonly string[]> {
    const changes = diffTables([before], [after]).filter(
      (change) => change.kind !== 'key changed' || change.before !== null,
    );
    const planned = worstClass(changes.map((change) => change.class));
    const done = await convergeOnce(schema, after);
    const isAsPlanned =
      done === 'unsafe'
        ? planned === 'unsafe'
        : planned !== 'unsafe' && (done !== 'rewrite' || planned === 'rewrite');
    return isAsPlanned ? [] : [`${schema}: diff says ${planned}, the target ${done}`];
  }

  async function convergeOnce(schema: string, table: ReplicatedTable): Promise<ChangeClass> {
    const nodes = () => target.sql<{ node: string }[]>`
      SELECT relname || pg_relation_filenode(oid) AS node FROM pg_class
      WHERE relnamespace = ${schema}::text::regnamespace AND relname IN (${table.name}, ${table.names.staging}) ORDER BY 1`;
    const before = await nodes();
    try {
      await target.run(filesOf(schema, table));
    } catch (error) {
      if ((error as { code: string }).code === 'CD005') return 'unsafe';
      throw error;
    }
    return JSON.stringify(await nodes()) === JSON.stringify(before) ? 'free' : 'rewrite';
  }

  /** Checks that every event is a row or a dead letter. */
  async function lostEvents(
    schemas: readonly string[],
    { name, names }: ReplicatedTable,
  ): Promise<readonly string[]> {
    const counts = schemas.map(
      (
        schema,
      ) => `SELECT '${schema}' AS schema, (SELECT count(*)::int FROM ${schema}.${name}) AS rows,
        (SELECT count(*)::int FROM ${schema}.${names.staging}) AS waiting,
        (SELECT count(*)::int FROM cdc_management.dead_letter
         WHERE schema_name = '${schema}' AND table_name = '${name}') AS dead`,
    );
    const rows = await target.sql.unsafe<
      { schema: string; rows: number; waiting: number; dead: number }[]
    >(counts.join(' UNION ALL '));
    return rows
      .filter((row) => row.waiting > 0 || row.rows + row.dead !== staged.get(row.schema))
      .map((row) => `${JSON.stringify(row)}, staged: ${staged.get(row.schema)}`);
  }

  async function locksOfSecondRun(
    schemas: readonly string[],
    table: ReplicatedTable,
  ): Promise<readonly string[]> {
    return target.sql.begin(async (transaction) => {
      await transaction.unsafe(schemas.map((schema) => filesOf(schema, table)).join('')).simple();
      const rows = await transaction<{ relation: string }[]>`
        SELECT relation::regclass::text AS relation FROM pg_locks
        WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND relation IS NOT NULL`;
      return rows.map(({ relation }) => `${relation} is locked by a run without changes`);
    });
  }

  async function mergeErrors(): Promise<readonly string[]> {
    const rows = await target.sql<{ line: string }[]>`
      DELETE FROM cdc_management.merge_error RETURNING concat_ws(' ', schema_name, table_name, message) AS line`;
    return rows.map(({ line }) => line);
  }
});

function filesOf(schema: string, table: ReplicatedTable): string {
  return tableFile(schema, table) + stagingFile(schema, table);
}

/** Renders a manual rename and type change of a column. Its values do not matter here. */
function retypeSql(schema: string, table: ReplicatedTable, column: string): string {
  const { name, columns } = table;
  const { type } = columns.find((one) => one.name === column)!;
  const target = `ALTER COLUMN ${quoteIdentifier(column)}`;
  return `CALL cdc_management.rename_columns('${schema}', '${name}', ${quoteLiteral(planColumns(table))});
    ALTER TABLE ${schema}.${name} ${target} DROP DEFAULT, ${target} DROP NOT NULL, ${target} TYPE ${type} USING NULL;`;
}

function rekeySql(schema: string, { name, key, names }: ReplicatedTable): string {
  const add = key
    ? `ALTER TABLE ${schema}.${name} ADD CONSTRAINT ${names.primaryKey} PRIMARY KEY (${key.columns.join(', ')});
       DROP INDEX IF EXISTS ${schema}.${names.positionIndex};`
    : '';
  return `ALTER TABLE ${schema}.${name} DROP CONSTRAINT IF EXISTS ${names.primaryKey}; ${add}`;
}
