import { setTimeout as sleep } from 'node:timers/promises';
import { type PostgresServer, startPostgres } from '@cdc-migrations/postgres-fixture';
import { chooseSeed } from '../../../../tools/event-model/src/choose-seed.ts';
import { createRandom, type Random } from '../../../../tools/event-model/src/random.ts';
import { type CommandRun, finish, runCommand, startCommand } from '../target/cli.fixture.ts';
import { generateSmall, small } from '../target/small-target.fixture.ts';
import {
  LEVELS,
  Year,
  type YearColumn,
  type YearFile,
  type YearPartitions,
  type YearTable,
} from './year.fixture.ts';

/** Steps of a run. `npm run soak -- --year` has 60, on both versions. */
const STEPS = Number(process.env['CDC_YEAR'] ?? 11);
const RUNS = Number(process.env['CDC_YEAR_RUNS'] ?? 1);
const MAJORS = STEPS > 20 ? ([15, 18] as const) : ([18] as const);
const DATABASE = 'directory_dev';
const CUSTOMER = '0a827150-1332-5167-993b-68db156438cb';
const SEED = chooseSeed();

/** Bounds of partitions by an integer. Rows of the test are in the first one. */
const BOUNDS = {
  range: [
    ', to: [10]',
    ', from: [10], to: [20]',
    ', from: [20], to: [30]',
    ', from: [30], to: [40]',
  ],
  list: [', in: [1, 2]', ', in: [3]', ', in: [5, 4]', ', in: [6]'],
  hash: [],
} as const satisfies Record<YearPartitions['method'], readonly string[]>;

const quote = (name: string) => `"${name}"`;
const qualified = (table: YearTable) => `"{{SCHEMA}}".${quote(table.name)}`;

describe.each(MAJORS)('a year of changes on PostgreSQL %i', (major) => {
  let server: PostgresServer;
  let sql: ReturnType<PostgresServer['connect']>;
  let env: NodeJS.ProcessEnv;
  let year: Year;
  let random: Random;
  /** Log of the steps, for the reader of a failure. */
  let log: string[];

  beforeAll(async () => {
    server = await startPostgres({ major });
  });
  afterAll(() => server?.stop());

  const run = (command: string, ...args: readonly string[]) =>
    runCommand(year.root, small(command, ...args), env);
  const expectExit = ({ exitCode, stdout, stderr }: CommandRun, code = 0) =>
    expect(exitCode === code ? '' : `exit code ${exitCode}\n${stdout}${stderr}`).toBe('');

  async function generate(): Promise<void> {
    year.write();
    expectExit(await runCommand(year.root, ['generate'], env));
  }

  /** Generates and applies. Then check must find nothing, and another apply must have nothing to do. */
  async function settle(): Promise<void> {
    await generate();
    expectExit(await run('apply'));
    expectExit(await run('check', '--exclude', 'public.*'));
    const second = await run('apply');
    expectExit(second);
    expect(second.stdout).toContain('files: 0 applied');
  }

  it.each(Array.from({ length: RUNS }, (_, at) => SEED + at))(
    `results in the schema of a new customer after ${STEPS} steps, seed %i`,
    async (seed) => {
      const repo = await generateSmall(server);
      env = repo.env(server);
      year = new Year(repo.root);
      random = createRandom(seed);
      log = [];
      const admin = server.connect({ max: 1, onnotice: () => {} });
      await admin.unsafe(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
      await admin.end();
      await server.createDatabase({ name: DATABASE });
      sql = server.connect({ database: DATABASE, max: 1, onnotice: () => {} });
      try {
        for (let table = 0; table < 2; table++) await addTable();
        await addView();
        await settle();
        for (let step = 0; step < STEPS;) if (await doStep()) step++;
        await addCustomer('newest');
        await settle();
        expect(await differencesFrom('newest')).toEqual([]);
      } catch (error) {
        throw new Error(`seed ${seed}: ${log.join('; ')}\n${(error as Error).message}`, {
          cause: error,
        });
      } finally {
        await sql.end();
      }
    },
    120_000 + STEPS * 15_000,
  );

  /** Makes a change and applies it. Returns false if there is nothing to change in that way. */
  async function doStep(): Promise<boolean> {
    const [name, step] = random.pick(Object.entries(STEP));
    log.push(name);
    const start = log.length;
    if ((await step()) === false) {
      log.splice(start - 1);
      return false;
    }
    await settle();
    return true;
  }

  const pickTable = () => random.pick(year.tables);
  const column = (kind = random.pick(['text', 'number'] as const)): YearColumn => ({
    ...{ name: year.fresh('c'), kind, level: random.integer(0, 1), nullable: random.chance(0.7) },
    formerly: [],
  });
  const note = (text: string) => void (log[log.length - 1] += ` ${text}`);
  const usersOf = (table: YearTable) => year.files.filter((file) => file.table === table);
  const isUsed = (one: YearColumn) =>
    year.files.some((file) => file.column === one) ||
    year.tables.some(({ indexed }) => indexed.includes(one));
  const free = (table: YearTable) => table.columns.filter((one) => !isUsed(one));

  const STEP: Readonly<Record<string, () => Promise<boolean | void>>> = {
    'add table': async () => addTable(),
    'drop table': dropTable,
    'rename table': renameTable,
    'add column': async () => {
      const table = pickTable();
      table.columns.push(column());
      note(table.name);
    },
    'drop column': async () => {
      const table = pickTable();
      const one = free(table)[0];
      if (!one) return false;
      table.columns.splice(table.columns.indexOf(one), 1);
      note(`${table.name}.${one.name}`);
      return undefined;
    },
    'rename column': async () => {
      const table = pickTable();
      const one = random.pick([table.key, ...table.columns]);
      one.formerly.unshift(one.name);
      one.name = year.fresh('r');
      note(`${table.name}.${one.formerly[0]} to ${one.name}`);
    },
    'widen column': widen,
    'widen used column': async () => {
      const used = year.files.flatMap((file) => file.column ?? []);
      const one = used.find(
        (used) =>
          used.level < LEVELS[used.kind] - 1 &&
          !year.tables.some((table) => table.key === used && table.partitions),
      );
      if (!one) return false;
      one.level++;
      note(one.name);
      return undefined;
    },
    'rename and widen column': async () => {
      const table = pickTable();
      const one = table.columns.find(({ kind, level }) => level < LEVELS[kind] - 1);
      if (!one) return false;
      one.formerly.unshift(one.name);
      one.name = year.fresh('r');
      one.level++;
      note(`${table.name}.${one.formerly[0]} to ${one.name}`);
      return undefined;
    },
    'change family': changeFamily,
    'change nullable': async () => {
      const one = random.pick(pickTable().columns);
      if (!one) return false;
      one.nullable = !one.nullable;
      note(one.name);
      return undefined;
    },
    'change staging': async () => {
      const table = pickTable();
      table.staging = table.staging === 'logged' ? 'unlogged' : 'logged';
      note(table.name);
    },
    'add view': addView,
    'add view over view': async () => {
      const below = year.files.find(({ name }) => name.startsWith('1'));
      if (!below) return false;
      const view = year.fresh('v');
      year.files.push({
        ...{
          folder: 'repeatable',
          name: `2${year.number()}-${view}`,
          table: below.table!,
          column: below.column!,
        },
        text: () =>
          `CREATE OR REPLACE VIEW "{{SCHEMA}}".${view} AS SELECT key, value FROM "{{SCHEMA}}".${viewOf(below)} WHERE value IS NOT NULL;\n`,
        drops: [`DROP VIEW IF EXISTS "{{SCHEMA}}".${view}`],
      });
      return undefined;
    },
    'add function': async () => {
      const [table, one] = pickColumn();
      const [name, compiled] = [year.fresh('f'), year.fresh('f')];
      year.files.push({
        ...{ folder: 'repeatable', name: `3${year.number()}-${name}`, table, column: one },
        text: () => `-- after: ${table.name}
CREATE OR REPLACE FUNCTION "{{SCHEMA}}".${name}() RETURNS bigint LANGUAGE sql AS 'SELECT count(${quote(one.name)}) FROM ${qualified(table)}';
CREATE OR REPLACE FUNCTION "{{SCHEMA}}".${compiled}() RETURNS text LANGUAGE sql
BEGIN ATOMIC SELECT max(${quote(one.name)}::text) FROM ${qualified(table)}; END;
`,
        drops: [
          `DROP FUNCTION IF EXISTS "{{SCHEMA}}".${name}()`,
          `DROP FUNCTION IF EXISTS "{{SCHEMA}}".${compiled}()`,
        ],
      });
    },
    'add materialized view': async () => {
      const [table, one] = pickColumn();
      const view = year.fresh('m');
      year.files.push({
        ...{ folder: 'repeatable', name: `4${year.number()}-${view}`, table, column: one },
        text: () => `DROP MATERIALIZED VIEW IF EXISTS "{{SCHEMA}}".${view};
CREATE MATERIALIZED VIEW "{{SCHEMA}}".${view} AS SELECT ${quote(table.key.name)} AS key, ${quote(one.name)} AS value FROM ${qualified(table)};
CREATE UNIQUE INDEX ${view}_key ON "{{SCHEMA}}".${view} (key);
`,
        drops: [`DROP MATERIALIZED VIEW IF EXISTS "{{SCHEMA}}".${view}`],
      });
    },
    'remove file': async () => {
      const removable = year.files.filter(({ folder }) => folder === 'repeatable');
      const file = removable.at(-1);
      if (!file || year.files.some((other) => isOver(other, file))) return false;
      removeFile(file);
      note(file.name);
      return undefined;
    },
    'add index': async () => {
      const [table, one] = pickColumn();
      const index = year.fresh('i');
      const isAlone = random.chance(0.5);
      // PostgreSQL has no CONCURRENTLY for partitioned tables.
      const [head, how] = ['-- cdc: no-transaction\n', 'CONCURRENTLY '].map(
        (text) => () => (isAlone && !table.partitions ? text : ''),
      );
      year.files.push({
        ...{ folder: 'after', name: `${year.number()}-${index}`, table, column: one, drops: [] },
        text: () =>
          `${head!()}CREATE INDEX ${how!()}${index} ON ${qualified(table)} (${quote(one.name)});\n`,
      });
      note(table.name);
    },
    'declare index': async () => {
      const [table, one] = pickColumn();
      if (table.indexed.includes(one)) return false;
      table.indexed.push(one);
      return undefined;
    },
    'remove declared index': async () => {
      const table = year.tables.find(({ indexed }) => indexed.length > 0);
      if (!table) return false;
      table.indexed.splice(random.integer(0, table.indexed.length - 1), 1);
      note(table.name);
      return undefined;
    },
    'partition table': partitionTable,
    'add partition': addPartition,
    'rename partition': async () => {
      const [table, partitions] = pickPartitioned() ?? [];
      if (!table || !partitions || partitions.parts.length === 0) return false;
      const part = random.pick(partitions.parts);
      note(`${table.name}_${part.name}`);
      part.name = year.fresh('p');
      return undefined;
    },
    'drop partition': async () => {
      const [table, partitions] = pickPartitioned() ?? [];
      // The first one has rows, and steps add more.
      if (!table || !partitions || partitions.parts.length < 3) return false;
      const [part] = partitions.parts.splice(1, 1);
      const name = `${table.name}_${part!.name}`;
      note(name);
      year.files.push({
        ...{ folder: 'manual', name: `${year.number()}-drop`, drops: [] },
        text: () => `DROP TABLE IF EXISTS "{{SCHEMA}}".${quote(name)};\n`,
      });
      return undefined;
    },
    'add manual file': async () => {
      const name = year.fresh('n');
      year.files.push({
        ...{ folder: 'manual', name: `${year.number()}-${name}`, drops: [] },
        text: () => `CREATE TABLE "{{SCHEMA}}".${name} (n integer PRIMARY KEY);\n`,
      });
    },
    'add customer': async () => {
      if (year.customers.length >= 4) return false;
      await addCustomer(year.fresh('t'));
      return undefined;
    },
    'rename customer': async () => {
      const at = random.integer(0, year.customers.length - 1);
      const [old, now] = [year.customers[at]!, year.fresh('t')];
      year.customers[at] = now;
      note(`${old} to ${now}`);
      await generate();
      expectExit(await run('rename', '--customer', old, '--to', now));
    },
    'retire customer': async () => {
      if (year.customers.length < 3) return false;
      const [name] = year.customers.splice(random.integer(0, year.customers.length - 1), 1);
      note(name!);
      await generate();
      expectExit(await run('retire', '--customer', name!));
      await drop('--customer', name!);
      return undefined;
    },
    'add rows': async () => {
      const table = pickTable();
      const all = [table.key, ...table.columns].map(({ kind, name }) => [
        quote(name),
        kind === 'text' ? "'1'" : '1',
      ]);
      const names = all.map(([name]) => name).join(', ');
      const values = all.map(([, value]) => value).join(', ');
      const schema = random.pick(year.customers);
      note(`${schema}.${table.name}`);
      await sql.unsafe(`INSERT INTO ${quote(schema)}.${quote(table.name)} (${names}, _customer_id)
        VALUES (${values}, '${CUSTOMER}') ON CONFLICT DO NOTHING`);
    },
    'broken repeatable file': async () => {
      const file = year.files.find(({ folder }) => folder === 'repeatable');
      if (!file) return false;
      return failWith({ ...file, written: "SELECT '{{SCHEMA}}', nothing_of_this_name;\n" }, file);
    },
    'broken manual file': async () => {
      const name = year.fresh('n');
      const file: YearFile = {
        ...{ folder: 'manual', name: `${year.number()}-${name}`, drops: [] },
        text: () => `CREATE TABLE "{{SCHEMA}}".${name} (n integer);\n`,
      };
      year.files.push(file);
      return failWith({ ...file, written: `${file.text()}SELECT '{{SCHEMA}}'::integer;\n` }, file);
    },
    'killed apply': async () => {
      if (random.chance(0.5) || (await addPartition()) === false) await widen();
      await generate();
      const child = startCommand(year.root, small('apply'), env);
      const end = finish(child);
      await Promise.race([sleep(random.integer(150, 500)), end]);
      child.kill('SIGKILL');
      await end;
    },
  };

  async function addTable(): Promise<void> {
    const name = year.fresh('T');
    const key = { ...column('number'), name: year.fresh('k'), level: 1, nullable: false };
    year.tables.push({
      source: name,
      name,
      key,
      columns: [column('text'), column()],
      indexed: [],
      staging: 'unlogged',
      partitions: random.chance(0.4) ? partitions() : undefined,
    });
    const { partitions: by } = year.tables.at(-1)!;
    log.push(`table ${name}${by ? ` by ${by.method}` : ''}`);
  }

  function partitions(): YearPartitions {
    const method = random.pick(['range', 'list', 'hash'] as const);
    const [first, second] = BOUNDS[method];
    const part = (bounds: string) => ({ name: year.fresh('p'), bounds });
    if (method === 'hash') return { method, parts: [] };
    return {
      method,
      parts: [part(first!), part(second!), ...(random.chance(0.5) ? [part('')] : [])],
    };
  }

  function pickPartitioned(): readonly [YearTable, YearPartitions] | undefined {
    const found = year.tables.filter((table) => table.partitions);
    if (found.length === 0) return undefined;
    const table = random.pick(found);
    return [table, table.partitions!];
  }

  async function addPartition(): Promise<boolean | void> {
    const [table, by] = pickPartitioned() ?? [];
    const bounds = BOUNDS[by?.method ?? 'hash'].find(
      (one) => !by!.parts.some((part) => part.bounds === one),
    );
    if (!table || bounds === undefined) return false;
    by!.parts.push({ name: year.fresh('p'), bounds });
    note(`${table.name}${bounds}`);
    return undefined;
  }

  /** Rewrites a table without views with the manual file that diff scaffolds. Views prevent it. */
  async function partitionTable(): Promise<boolean | void> {
    const by = partitions();
    // With the same method, only partitions would be added, renamed and dropped.
    const table = year.tables.find(
      (one) =>
        one.partitions?.method !== by.method &&
        !usersOf(one).some(({ folder }) => folder === 'repeatable'),
    );
    if (!table) return false;
    table.partitions = by;
    note(`${table.name} by ${by.method}`);
    return scaffold();
  }

  async function dropTable(): Promise<boolean | void> {
    if (year.tables.length < 3) return false;
    const table = pickTable();
    note(table.name);
    for (const file of usersOf(table).toReversed()) removeFile(file);
    year.tables.splice(year.tables.indexOf(table), 1);
    await generate();
    expectExit(await run('apply'));
    expectExit(await run('retire', '--table', table.name));
    if (random.chance(0.5)) await drop('--table', table.name);
    return undefined;
  }

  async function renameTable(): Promise<void> {
    const table = pickTable();
    const old = table.name;
    const files = usersOf(table).filter(({ folder }) => folder === 'after');
    const corrected = files.filter((file) => !isStale(file) && random.chance(0.5));
    table.name = year.fresh('U');
    note(`${old} to ${table.name}`);
    // The history follows files with the new name.
    for (const file of corrected) file.written = file.text();
    await generate();
    expectExit(await run('rename', '--table', old, '--to', table.name));
  }

  async function widen(): Promise<boolean | void> {
    const table = pickTable();
    const wider = [...(isRewritten(table) ? [] : [table.key]), ...table.columns].filter(
      ({ kind, level }) => level < LEVELS[kind] - 1,
    );
    if (wider.length === 0) return false;
    const one = random.pick(wider);
    one.level++;
    note(`${table.name}.${one.name}`);
    if (one !== table.key || !table.partitions) return undefined;
    return scaffold();
  }

  /** Writes the manual file of an unsafe change. */
  async function scaffold(): Promise<void> {
    year.write();
    expectExit(await runCommand(year.root, ['diff', '--scaffold-manual'], env), 1);
  }

  /** Returns true if views prevent a type change of the key. The change rewrites the table. */
  const isRewritten = (table: YearTable) =>
    table.partitions !== undefined && usersOf(table).some(({ folder }) => folder === 'repeatable');

  /** Makes a change that could lose values with the manual file that diff scaffolds. */
  async function changeFamily(): Promise<boolean | void> {
    const table = pickTable();
    const one = free(table).find(({ kind }) => kind === 'number');
    if (!one) return false;
    one.kind = 'text';
    one.level = 3;
    note(`${table.name}.${one.name}`);
    return scaffold();
  }

  /** Runs the SQL that `retire --drop` writes. */
  async function drop(...what: readonly string[]): Promise<void> {
    const { stdout } = await run('retire', ...what, '--drop');
    await sql.unsafe(stdout.replaceAll(/^\\.*$/gm, '')).simple();
  }

  function pickColumn(): readonly [YearTable, YearColumn] {
    const table = pickTable();
    if (table.columns.length === 0) table.columns.push(column());
    const one = random.pick(table.columns);
    note(`${table.name}.${one.name}`);
    return [table, one];
  }

  async function addView(): Promise<void> {
    const table = pickTable();
    const one = random.pick([table.key, ...table.columns]);
    const view = year.fresh('v');
    log.push(`view ${view} of ${table.name}.${one.name}`);
    year.files.push({
      ...{ folder: 'repeatable', name: `1${year.number()}-${view}`, table, column: one },
      text: () =>
        `CREATE OR REPLACE VIEW "{{SCHEMA}}".${view} AS SELECT ${quote(table.key.name)} AS key, ${quote(one.name)} AS value FROM ${qualified(table)};\n`,
      drops: [`DROP VIEW IF EXISTS "{{SCHEMA}}".${view}`],
    });
  }

  const viewOf = ({ name }: YearFile) => name.replace(/^.*-/, '');
  /** Returns true for a view over the view of another file. */
  const isOver = (file: YearFile, below: YearFile) =>
    file !== below &&
    file.folder === 'repeatable' &&
    file.text().includes(`.${viewOf(below)} WHERE`);

  /** Removes a file from the repo and drops its objects by another file. */
  function removeFile(file: YearFile): void {
    year.remove(file);
    if (file.drops.length === 0) return;
    year.files.push({
      ...{ folder: 'manual', name: `${year.number()}-drop`, drops: [] },
      text: () => `${file.drops.join(';\n')};\n`,
    });
  }

  /** Adds a customer. Files that fail there because names have changed are corrected afterwards. */
  async function addCustomer(name: string): Promise<void> {
    year.customers.push(name);
    note(name);
    await generate();
    for (const file of year.files.filter(isStale)) {
      expectExit(await run('apply'), 3);
      file.written = file.text();
      await generate();
    }
  }

  const isStale = (file: YearFile) =>
    file.folder === 'after' && file.written !== undefined && file.written !== file.text();

  /** Applies a file that fails, then fixes it. */
  async function failWith(broken: YearFile, file: YearFile): Promise<void> {
    const at = year.files.indexOf(file);
    year.files[at] = broken;
    await generate();
    expectExit(await run('apply'), 3);
    year.files[at] = file;
  }

  /**
   * Compares the schemas of customers with the newest one. Columns that left the source or are to be tightened may
   * differ.
   */
  async function differencesFrom(newest: string): Promise<readonly string[]> {
    const rows = await sql<{ schema: string; line: string }[]>`
      SELECT nspname AS schema, 
        replace(replace(replace(part.line, '"' || nspname || '".', ''), nspname || '.', ''), quote_literal(nspname), '') AS line
      FROM pg_namespace AS namespace
      CROSS JOIN LATERAL (
        SELECT concat_ws(' ', relname, attname, format_type(atttypid, atttypmod), CASE
          WHEN EXISTS (SELECT FROM cdc_management.column_note AS note WHERE note.state = 'to tighten'
            AND (note.schema_name, note.table_name, note.column_name) = (nspname, noted.name, attname)) THEN true
          ELSE attnotnull END, pg_get_expr(adbin, adrelid))
        FROM pg_class
        -- Notes about the columns of a partition are those of its table.
        CROSS JOIN LATERAL (SELECT coalesce((SELECT parent.relname FROM pg_inherits JOIN pg_class AS parent
          ON parent.oid = inhparent WHERE inhrelid = pg_class.oid), relname)) AS noted (name)
        JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = namespace.oid AND relkind IN ('r', 'p', 'v', 'm') AND NOT EXISTS (
          SELECT FROM cdc_management.column_note AS note WHERE note.state = 'left the source'
            AND (note.schema_name, note.table_name, note.column_name) = (nspname, noted.name, attname))
        UNION ALL
        -- PostgreSQL names the indexes and constraints of partitions.
        SELECT regexp_replace(pg_get_indexdef(indexrelid), CASE WHEN relispartition THEN ' INDEX \\S+ ' ELSE '^$' END, ' ') || indisvalid
        FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
        WHERE relnamespace = namespace.oid
        UNION ALL
        SELECT concat_ws(' ', relname, relkind, relpersistence, pg_get_viewdef(oid), pg_get_partkeydef(oid),
          pg_get_expr(relpartbound, oid), (SELECT inhparent::regclass FROM pg_inherits WHERE inhrelid = pg_class.oid))
        FROM pg_class
        WHERE relnamespace = namespace.oid AND relkind IN ('r', 'p', 'v', 'm')
        UNION ALL
        SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = namespace.oid
        UNION ALL
        SELECT pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        WHERE relnamespace = namespace.oid AND NOT tgisinternal
        UNION ALL
        SELECT concat_ws(' ', conrelid::regclass, CASE WHEN NOT relispartition THEN conname END, pg_get_constraintdef(pg_constraint.oid))
        FROM pg_constraint LEFT JOIN pg_class ON pg_class.oid = conrelid
        WHERE connamespace = namespace.oid AND contype <> 'n'
      ) AS part (line)
      WHERE nspname = ANY (${year.customers})`;
    const retired = await sql<
      { name: string }[]
    >`SELECT table_name AS name FROM cdc_management.retired_table`;
    const isRetired = (line: string) =>
      retired.some(({ name }) => new RegExp(`\\b_?${name}\\b|\\b${name}_|_${name}_`).test(line));
    const of = (schema: string) =>
      new Set(
        rows.filter((row) => row.schema === schema && !isRetired(row.line)).map(({ line }) => line),
      );
    const expected = of(newest);
    return year.customers.flatMap((schema) => {
      const own = of(schema);
      return [
        ...[...own].filter((line) => !expected.has(line)).map((line) => `only ${schema}: ${line}`),
        ...[...expected].filter((line) => !own.has(line)).map((line) => `not ${schema}: ${line}`),
      ];
    });
  }
});
