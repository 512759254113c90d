import { createRandom, chooseSeed } from '@cdc-migrations/event-model';
import { describeDebian } from '@cdc-migrations/postgres-fixture';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { BUILT_WITHIN_MS, describeWire } from '@cdc-migrations/wire';
import type { Sql } from 'postgres';
import {
  type AsmaPipeline,
  openAsmaPipeline,
  PARTS,
  readLag,
  retry,
  topicOf,
} from './asma-pipeline.fixture.ts';
import { ADDED, type AsmaTraffic, openAsmaTraffic } from './asma-traffic.fixture.ts';
import { type Poisoned, POISONS } from './poison.fixture.ts';
import { SINKS, tablesOf } from './asma.fixture.ts';

/** `npm run soak -- --wire` increases both. */
const CHANGES = Number(process.env['CDC_WIRE_CHANGES'] ?? 2500);
const ROUNDS = Number(process.env['CDC_WIRE_RESTARTS'] ?? 1);
const MOST_MS = BUILT_WITHIN_MS + CHANGES * 30;
const ARRIVED_WITHIN_MS = 90_000;
const WAREHOUSE = 'sink_warehouse.analytics';
const RELOADED = 'directory.roles';

/** A poisoned event with its position in the topic. */
interface Sent extends Poisoned {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

interface DeadLetter {
  readonly kind: 'dead' | 'refused';
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly reason: string;
}

describeWire('asma from its sources to its final tables', () => {
  describeDebian('through Debezium, Kafka and the generated pipelines', () => {
    const seed = chooseSeed();
    const random = createRandom(seed);
    const started = Date.now();
    const sent: Sent[] = [];
    let parts: AsmaPipeline;
    let traffic: AsmaTraffic;
    let restarts = 0;
    let deadLettersBefore: readonly DeadLetter[];

    beforeAll(async () => {
      parts = await openAsmaPipeline();
      traffic = await openAsmaTraffic(parts.source, seed);
      const steps = planSteps();
      const slice = CHANGES / (steps.length + 2);
      say('all parts but the pipeline run');
      await traffic.write(slice);
      await parts.connect();
      await traffic.write(slice);
      await parts.untilSnapshotStored();
      say('the pipeline runs');
      for (const [index, { name, step }] of steps.entries()) {
        await Promise.all([traffic.write(slice), step(), poison(index, steps.length)]);
        say(`${name}, ${traffic.changes} changes`);
      }
      await arrive(await traffic.writeLast());
      say('all arrived');
      deadLettersBefore = await readDeadLetters();
      await parts.run('manage-migrations', 'merge', '--env', 'dev', '--replay-dead-letters');
      say('refused events are replayed');
    }, MOST_MS);

    afterAll(async () => {
      if (parts) await report();
      await parts?.stop();
    }, 120_000);

    function say(text: string): void {
      process.stderr.write(`${((Date.now() - started) / 1000).toFixed(1)} s: ${text}\n`);
    }

    /**
     * Plans the steps: each round restarts all parts in random order, with and without a crash. A new column is added in
     * between.
     */
    function planSteps(): readonly { name: string; step: () => Promise<void> }[] {
      const rounds = Array.from({ length: ROUNDS }, (_, round) =>
        random.shuffle(PARTS).map((part) => {
          const isKilled = ROUNDS === 1 ? random.chance(0.5) : round !== 1;
          const step = async () => {
            await parts.restart(part, isKilled);
            restarts++;
          };
          return { name: `${part} ${isKilled ? 'killed' : 'restarted'}`, step };
        }),
      ).flat();
      const column = [
        { name: 'columns added', step: () => traffic.addColumns() },
        { name: 'columns replicated', step: () => parts.followSources() },
      ];
      rounds.splice(random.integer(0, rounds.length), 0, ...column);
      return rounds;
    }

    /** Writes the poisoned events of a step to their topics, between the events of the sources. */
    async function poison(step: number, steps: number): Promise<void> {
      for (const [index, poisoned] of POISONS.entries()) {
        if (index % steps !== step) continue;
        const table = tablesOf(WAREHOUSE).find(
          ({ service, name }) => `${service}.${name}` === poisoned.table,
        )!;
        const topic = topicOf(table);
        const { source } = table;
        const value = poisoned.build({
          name: topic.split('.', 2).join('.'),
          db: source.database,
          schema: source.schema,
          table: source.table,
        });
        const partition = random.integer(0, 2);
        const record = { key: `poison-${index}`, value, partition };
        const [position] = await retry(() => parts.broker.write(topic, [record]));
        sent.push({ ...poisoned, topic, ...position! });
      }
    }

    /** Waits until the last changes are merged, the pipelines have committed everything, and staging is empty. */
    async function arrive(last: ReadonlyMap<string, string>): Promise<void> {
      const deadline = Date.now() + ARRIVED_WITHIN_MS;
      for (;;) {
        const waiting = await describeWaiting(last);
        if (waiting.length === 0) return;
        if (Date.now() > deadline || parts.flows.some(({ pipeline }) => !pipeline!.isRunning)) {
          const logs = parts.flows.map(
            ({ service, sink, pipeline }) => `${sink} ${service}: ${pipeline!.log()}`,
          );
          const state = await describeParts().catch((error: unknown) => [String(error)]);
          throw new Error([...waiting, ...state, ...parts.notes, ...logs].join('\n'));
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }

    async function describeWaiting(last: ReadonlyMap<string, string>): Promise<readonly string[]> {
      const waiting: string[] = [];
      const sql = parts.sinks.get(WAREHOUSE)!;
      for (const [table, condition] of last) {
        const rows = await sql.unsafe(`SELECT 1 FROM ${table} WHERE ${condition}`);
        if (rows.length === 0) waiting.push(`${table} has not its last row`);
      }
      if (waiting.length > 0) return waiting;
      for (const flow of parts.flows) {
        const lag = await readLag(parts.broker, flow);
        if (lag > 0) waiting.push(`${flow.group} lags by ${lag}`);
      }
      for (const sink of SINKS) {
        for (const { service, names } of tablesOf(sink)) {
          const name = quoteQualified(service, names.staging);
          const [row] = await parts.sinks
            .get(sink)!
            .unsafe(`SELECT count(*)::int AS n FROM ${name}`);
          if (row!['n'] > 0) waiting.push(`${sink} ${name} has ${row!['n']} rows`);
        }
      }
      return waiting;
    }

    /** Describes where missing events are: in Kafka, in staging, or blocked by a lock. */
    async function describeParts(): Promise<readonly string[]> {
      const lags = await Promise.all(
        parts.flows.map(
          async (flow) => `${flow.group} lags by ${await readLag(parts.broker, flow)}`,
        ),
      );
      const tables = await Promise.all(
        [...parts.sinks].map(async ([sink, sql]) => {
          const rows = await sql`
            SELECT schema_name, table_name, pending_since, last_merged_at, holds_events, is_failing, locked_by
            FROM cdc_management.merge_status WHERE holds_events IS NOT FALSE`;
          const sessions = await sql`
            SELECT application_name, state, wait_event, left(query, 80) AS query, now() - query_start AS since
            FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'idle'`;
          return [...rows, ...sessions].map((row) => `${sink} ${JSON.stringify(row)}`);
        }),
      );
      return [...lags, ...tables.flat()];
    }

    async function readDeadLetters(): Promise<readonly DeadLetter[]> {
      const all = await Promise.all(
        [...parts.sinks.values()].map(
          (sql) => sql<DeadLetter[]>`
            SELECT 'refused' AS kind, topic, kafka_partition AS partition, kafka_offset AS "offset", error AS reason
            FROM cdc_management.refused_event
            UNION ALL
            SELECT 'dead', 'asma-dev.' || source_db || '.' || CASE source_table WHEN 'users_log' THEN 'logs.' ELSE 'public.' END
              || source_table, kafka_partition, kafka_offset, reason
            FROM cdc_management.dead_letter`,
        ),
      );
      return all.flat();
    }

    const isOf = (deadLetter: DeadLetter, of: Sent) =>
      deadLetter.topic === of.topic &&
      deadLetter.partition === of.partition &&
      Number(deadLetter.offset) === of.offset;

    async function report(): Promise<void> {
      let kafka = 0;
      for (const topic of new Set(parts.flows.flatMap(({ tables }) => tables.map(topicOf)))) {
        const ends = await parts.broker.readEnds(topic);
        for (const end of Object.values(ends)) kafka += end;
      }
      const logged = await Promise.all(
        [...parts.sinks].map(async ([sink, sql]) => {
          const [row] = await sql`
            SELECT coalesce(sum(events), 0)::int AS staged, coalesce(sum(stale), 0)::int AS stale, coalesce(sum(dead), 0)::int AS dead
            FROM cdc_management.processing_log`;
          return `${sink}: ${row!['staged']} events merged, ${row!['stale']} of them stale, ${row!['dead']} dead`;
        }),
      );
      const refused = deadLettersBefore?.filter(({ kind }) => kind === 'refused').length;
      say(
        [
          `seed ${seed}: ${traffic.changes} changes, ${kafka} events in Kafka, ${restarts} restarts, ${sent.length} poisoned, ${refused} refused before the replay`,
          ...logged,
          ...parts.notes,
        ].join('\n  '),
      );
    }

    describe.each(SINKS)('%s', (sink) => {
      it.each(tablesOf(sink).map(({ service, name }) => `${service}.${name}`))(
        '%s has the rows of its source',
        async (name) => expectSame(sink, name),
      );
    });

    async function expectSame(sink: string, name: string): Promise<void> {
      const table = parts.tablesOf(sink).find((each) => `${each.service}.${each.name}` === name)!;
      const { database, schema, table: sourceTable } = table.source;
      const columns = table.columns.filter(({ role }) => role === 'source');
      expect(columns.map((column) => column.name)).toContain(ADDED);
      const expected = await readRows(
        traffic.sources.get(database)!,
        quoteQualified(schema, sourceTable),
        columns.map((column) => sourceText(column)),
      );
      const found = await readRows(
        parts.sinks.get(sink)!,
        quoteQualified(table.service, table.name),
        columns.map((column) => `${quoteIdentifier(column.name)}::text`),
      );
      expect(await compare(expected, found)).toEqual({ missing: [], unexpected: [] });
      expect(found.size).toBeGreaterThan(3);
    }

    it.each(POISONS.map(({ kind, table }) => [kind, table] as const))(
      'stores %s for %s with the reason',
      async (kind, table) => {
        const poisoned = sent.find((each) => each.kind === kind && each.table === table)!;
        const before = deadLettersBefore.filter((deadLetter) => isOf(deadLetter, poisoned));
        const after = (await readDeadLetters()).filter((deadLetter) => isOf(deadLetter, poisoned));
        expect(before.map(({ reason }) => reason)).toEqual(
          before.map(() => expect.stringMatching(poisoned.reason)),
        );
        expect(before.length).toBeGreaterThan(0);
        expect(after).toHaveLength(before.length);
        expect(new Set(before.map((deadLetter) => deadLetter.kind))).toEqual(
          new Set([poisoned.becomes]),
        );
      },
    );

    it('removes rows in a reload with an incremental snapshot if their deletes were lost', async () => {
      const source = traffic.sources.get('directory_dev')!;
      const sink = parts.sinks.get(WAREHOUSE)!;
      const publish = (what: string) =>
        source.unsafe(`ALTER PUBLICATION cdc_directory_dev SET (publish = '${what}')`);
      const reload = (step: string, ...args: readonly string[]) =>
        parts.run(
          'manage-migrations',
          'reload',
          step,
          '--env',
          'dev',
          '--table',
          RELOADED,
          ...args,
        );
      const readCount = async (sql: Sql, text: string) =>
        Number((await sql.unsafe(`SELECT count(*) AS n FROM ${text}`))[0]!['n']);
      await publish('insert, update, truncate');
      const lost = await source.unsafe(
        `DELETE FROM public.roles WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.roles LIMIT 3)) RETURNING 1`,
      );
      await publish('insert, update, delete, truncate');
      await reload('begin');
      await reload('signal', '--send');
      const rows = await readCount(source, 'public.roles');
      const countUnread = async () => {
        const [row] = await sink<{ unread: number }[]>`
          SELECT unread::integer FROM cdc_management.reload, cdc_management.count_reload(reload_id)
          WHERE ended_at IS NULL`;
        return row!.unread;
      };
      for (const deadline = Date.now() + 60_000; (await countUnread()) > lost.length;) {
        if (Date.now() > deadline) throw new Error('the snapshot has not come');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(await readCount(sink, 'directory.roles')).toBe(rows + lost.length);
      await reload('finish', '--max-share', '50', '--replayed');
      await expectSame(WAREHOUSE, RELOADED);
    }, 90_000);

    it('stores no other dead letters or refused events', async () => {
      const others = (await readDeadLetters()).filter(
        (deadLetter) => !sent.some((poisoned) => isOf(deadLetter, poisoned)),
      );
      expect(others.slice(0, 5)).toEqual([]);
    });

    it('refuses other events only for the added column, and only later events are dead letters', () => {
      const others = deadLettersBefore.filter(
        (deadLetter) => !sent.some((poisoned) => isOf(deadLetter, poisoned)),
      );
      // A dead letter omits a large value that only a refused event has.
      const wrong = others.filter(
        ({ kind, reason }) =>
          !reason.includes(
            kind === 'refused' ? `unknown column "${ADDED}"` : 'violates not-null constraint',
          ),
      );
      expect(wrong.slice(0, 5)).toEqual([]);
    });
  });
});

/** Reads all rows as text, by hash. */
async function readRows(
  sql: Sql,
  table: string,
  expressions: readonly string[],
): Promise<ReadonlyMap<string, () => Promise<string>>> {
  const row = `jsonb_build_array(${expressions.join(', ')})::text`;
  const rows = await sql.unsafe<{ hash: string }[]>(`SELECT md5(${row}) AS hash FROM ${table}`);
  const text = async (hash: string) => {
    const [found] = await sql.unsafe(
      `SELECT left(${row}, 3000) AS text FROM ${table} WHERE md5(${row}) = '${hash}'`,
    );
    return String(found!['text']);
  };
  return new Map(rows.map(({ hash }) => [hash, () => text(hash)]));
}

function sourceText({ type, source }: ReplicatedTable['columns'][number]): string {
  const column = quoteIdentifier(source!.name);
  return source!.type === 'money' ? `${column}::${type}::text` : `${column}::text`;
}

type Rows = ReadonlyMap<string, () => Promise<string>>;

/** Lists a few rows of each side that the other side does not have. */
async function compare(expected: Rows, found: Rows) {
  const only = (rows: Rows, others: Rows) =>
    Promise.all(
      [...rows]
        .filter(([hash]) => !others.has(hash))
        .slice(0, 3)
        .map(([, text]) => text()),
    );
  return { missing: await only(expected, found), unexpected: await only(found, expected) };
}
