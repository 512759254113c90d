import {
  isConstant,
  METADATA_COLUMNS,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { applyText, type ManagedDatabase, startManagedDatabase } from './management.fixture.ts';
import { renderTable } from './render-table.ts';

const column = (name: string, type: string, more: Partial<ColumnDefinition> = {}) =>
  ({ name, role: 'source', type, nullable: true, ...more }) satisfies ColumnDefinition;

const ID = column('id', 'integer', { nullable: false });

function table(
  columns: readonly ColumnDefinition[],
  key: readonly string[] | null = ['id'],
): ReplicatedTable {
  return {
    kind: 'replicated',
    set: 'sink_asma.directory',
    service: 'adopus',
    source: { database: 'AdOpusTest', schema: 'dbo', table: 'T' },
    schema: { scope: 'tenant' },
    name: 'T',
    names: {
      staging: 'stg_T',
      trigger: 'trg_mark_for_merge',
      mergeProcedure: 'sp_merge_t',
      mergeWindow: 'fn_merge_window_t',
      primaryKey: 'pk_T',
      syncIndex: 'idx_T_sync_timestamp',
      positionIndex: 'uq_T_stream_position',
    },
    columns: [...columns, ...METADATA_COLUMNS],
    key: key && { columns: key, origin: 'primary key' },
    deleteMode: 'hard',
    staging: 'unlogged',
    transforms: [],
  };
}

describe('the file of a table', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterEach(async () => {
    await database.sql`DROP TABLE IF EXISTS avansas."T" CASCADE`;
    await database.sql`TRUNCATE cdc_management.column_note`;
  });
  afterAll(() => database.server.stop());

  const run = (statement: string) => database.sql.unsafe(statement);
  const apply = (...args: Parameters<typeof table>) =>
    applyText(database.sql, renderTable(table(...args), 'tables/T.sql').text);
  const fill = () => run(`INSERT INTO avansas."T" (id) VALUES (1)`);

  /** Columns but the metadata, as PostgreSQL has them. */
  async function structure(): Promise<readonly string[]> {
    const rows = await database.sql<{ line: string }[]>`
      SELECT attname || ' ' || format_type(atttypid, atttypmod)
        || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
        || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
      FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attrelid = 'avansas."T"'::regclass AND attnum > 0 AND NOT attisdropped
        AND attname NOT LIKE '\\_\\_%'
      ORDER BY attname`;
    return rows.map(({ line }) => line);
  }

  const notes = () =>
    database.sql`SELECT column_name, state, statement FROM cdc_management.column_note ORDER BY 1`;

  it('creates it, and does nothing and takes no lock the second time', async () => {
    const columns = [ID, column('navn', 'character varying(10)'), column('x', 'uuid')];
    await apply(columns);
    const { text } = renderTable(table(columns), 'tables/T.sql');
    const other = database.server.connect({ database: await name(), max: 1 });
    await database.sql.begin(async (transaction) => {
      await transaction.unsafe(text.replaceAll('{{SCHEMA}}', 'avansas')).simple();
      const locks = await other`
        SELECT mode FROM pg_locks WHERE relation = 'avansas."T"'::regclass`;
      expect(locks.map(({ mode }) => mode as string)).toEqual(['AccessShareLock']);
    });
    expect(await structure()).toEqual([
      'id integer NOT NULL',
      'navn character varying(10)',
      'x uuid',
    ]);
  });

  async function name(): Promise<string> {
    const [row] = await database.sql`SELECT current_database() AS name`;
    return row?.['name'] as string;
  }

  it('adds columns and widens types without writing the table anew', async () => {
    await apply([ID, column('navn', 'character varying(10)'), column('sum', 'numeric(5,2)')]);
    await fill();
    const node = () => run(`SELECT pg_relation_filenode('avansas."T"')`);
    const before = await node();
    await apply([
      ID,
      column('navn', 'text'),
      column('sum', 'numeric(9,2)'),
      column('ny', 'integer', { nullable: false, default: '0' }),
    ]);
    expect(await node()).toEqual(before);
    expect(await structure()).toEqual([
      'id integer NOT NULL',
      'navn text',
      'ny integer NOT NULL DEFAULT 0',
      'sum numeric(9,2)',
    ]);
  });

  it('changes all of it by one ALTER TABLE', async () => {
    await run(`CREATE TABLE IF NOT EXISTS cdc_management.altered (n int)`);
    await run(`CREATE OR REPLACE FUNCTION cdc_management.note_alter() RETURNS event_trigger LANGUAGE plpgsql
      AS 'BEGIN INSERT INTO cdc_management.altered VALUES (1); END'`);
    await apply([ID, column('a', 'smallint'), column('b', 'integer', { nullable: false })]);
    await run(`CREATE EVENT TRIGGER note_alter ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
      EXECUTE FUNCTION cdc_management.note_alter()`);
    await apply([ID, column('a', 'bigint'), column('b', 'bigint'), column('c', 'text')]);
    await run('DROP EVENT TRIGGER note_alter');
    expect(await run('SELECT count(*)::int AS n FROM cdc_management.altered')).toEqual([{ n: 1 }]);
  });

  it('brings a NOT NULL column to a filled table as nullable, to tighten', async () => {
    await apply([ID]);
    await fill();
    await apply([ID, column('navn', 'text', { nullable: false })]);
    expect(await structure()).toEqual(['id integer NOT NULL', 'navn text']);
    const statement = 'ALTER TABLE avansas."T" ALTER COLUMN navn SET NOT NULL';
    expect(await notes()).toEqual([{ column_name: 'navn', state: 'to tighten', statement }]);
    await run(`UPDATE avansas."T" SET navn = ''`);
    await run(statement);
    await apply([ID, column('navn', 'text', { nullable: false })]);
    expect(await notes()).toEqual([]);
  });

  it('brings a NOT NULL column to an empty table as it is', async () => {
    await apply([ID, column('a', 'text')]);
    await apply([
      ID,
      column('a', 'text', { nullable: false }),
      column('b', 'text', { nullable: false }),
    ]);
    expect(await structure()).toEqual([
      'a text NOT NULL',
      'b text NOT NULL',
      'id integer NOT NULL',
    ]);
  });

  it('keeps a column that left the source, as nullable', async () => {
    await apply([ID, column('gone', 'text', { nullable: false })]);
    await fill().catch(() => run(`INSERT INTO avansas."T" (id, gone) VALUES (1, 'x')`));
    await apply([ID]);
    await apply([ID]);
    expect(await structure()).toEqual(['gone text', 'id integer NOT NULL']);
    expect(await notes()).toEqual([
      { column_name: 'gone', state: 'left the source', statement: null },
    ]);
  });

  describe('renames a column', () => {
    const was = (...formerly: readonly string[]) =>
      column('navn', 'character varying(20)', { formerly });
    const rows = () => run(`SELECT id, navn FROM avansas."T" ORDER BY id`);

    it.each([
      ['its only earlier name', ['name'], 'name', was('name')],
      ['the newest of its earlier names', ['first', 'second'], 'second', was('second', 'first')],
      ['an earlier name that it has not', ['first'], 'first', was('second', 'first')],
    ])('from %s, with its values and its other changes', async (_what, columns, from, now) => {
      const before = columns.map((name) => column(name, 'character varying(10)'));
      await apply([ID, ...before]);
      await run(`INSERT INTO avansas."T" (id, "${from}") VALUES (1, 'Kari')`);
      for (let time = 1; time <= 2; time++) await apply([ID, now, column('ny', 'integer')]);
      expect(await rows()).toEqual([{ id: 1, navn: 'Kari' }]);
      const kept = columns
        .filter((name) => name !== from)
        .map((name) => `${name} character varying(10)`);
      expect(await structure()).toEqual(
        [...kept, 'id integer NOT NULL', 'navn character varying(20)', 'ny integer'].toSorted(),
      );
      expect((await notes()).map((note) => note['column_name'] as string)).toEqual(
        columns.filter((name) => name !== from),
      );
    });

    it('leaves the earlier one alone where the new one is there', async () => {
      await apply([ID, column('name', 'text'), column('navn', 'character varying(20)')]);
      await run(`INSERT INTO avansas."T" (id, name, navn) VALUES (1, 'old', 'new')`);
      await apply([ID, was('name')]);
      expect(await rows()).toEqual([{ id: 1, navn: 'new' }]);
      expect(await structure()).toContain('name text');
    });

    it('of the key, and of a view', async () => {
      await apply([column('nr', 'integer', { nullable: false }), column('navn', 'text')], ['nr']);
      await run(`CREATE VIEW avansas.v AS SELECT nr FROM avansas."T"`);
      await apply([{ ...ID, formerly: ['nr'] }, column('navn', 'text')]);
      expect(await structure()).toEqual(['id integer NOT NULL', 'navn text']);
      expect(await run('SELECT nr FROM avansas.v')).toEqual([]);
    });

    it('moves the note of a column that is to be tightened', async () => {
      await apply([ID]);
      await fill();
      await apply([ID, column('name', 'text', { nullable: false })]);
      await apply([ID, column('navn', 'text', { nullable: false, formerly: ['name'] })]);
      expect(await notes()).toEqual([
        {
          column_name: 'navn',
          state: 'to tighten',
          statement: 'ALTER TABLE avansas."T" ALTER COLUMN navn SET NOT NULL',
        },
      ]);
    });

    it('says so in the plan, and refuses what is unsafe under the new name', async () => {
      await apply([ID, column('name', 'text')]);
      const columns = JSON.stringify([
        ['id', 'integer', true, null],
        ['navn', 'integer', false, null, ['name']],
      ]);
      const plan = await database.sql`
        SELECT column_name, class, clause, detail
        FROM cdc_management.plan_table('avansas', 'T', ${columns}::text::jsonb, ARRAY['id'])
        WHERE column_name = 'navn'`;
      expect([...plan]).toEqual([
        {
          column_name: 'navn',
          class: 'free',
          clause: 'RENAME COLUMN name TO navn',
          detail: 'was name',
        },
        {
          column_name: 'navn',
          class: 'unsafe',
          clause: 'ALTER COLUMN navn TYPE integer',
          detail: 'text to integer could lose values',
        },
      ]);
      await expect(
        apply([ID, column('navn', 'integer', { formerly: ['name'] })]),
      ).rejects.toMatchObject({
        message: 'table avansas."T" column navn: text to integer could lose values',
      });
      expect(await structure()).toEqual(['id integer NOT NULL', 'name text']);
    });
  });

  it('leaves alone what people added: identity, generated and NOT NULL columns with a default', async () => {
    await apply([ID]);
    await run(`ALTER TABLE avansas."T" ADD COLUMN nr int GENERATED ALWAYS AS IDENTITY,
      ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED, ADD COLUMN mine text NOT NULL DEFAULT ''`);
    const before = await structure();
    await apply([ID]);
    expect(await structure()).toEqual(before);
  });

  it('takes a primary key that people gave more columns to carry', async () => {
    await apply([ID, column('navn', 'text')]);
    await run(
      `ALTER TABLE avansas."T" DROP CONSTRAINT "pk_T", ADD PRIMARY KEY (id) INCLUDE (navn)`,
    );
    await expect(apply([ID, column('navn', 'text')])).resolves.toBeUndefined();
  });

  describe('refuses', () => {
    it.each<[string, string, string, string]>([
      ['narrowing', 'character varying(10)', 'character varying(5)', 'could lose values'],
      ['another family', 'text', 'integer', 'could lose values'],
    ])('%s', async (_what, from, to, why) => {
      await apply([ID, column('navn', from)]);
      await expect(apply([ID, column('navn', to)])).rejects.toMatchObject({
        code: 'CD005',
        message: `table avansas."T" column navn: ${from} to ${to} ${why}`,
        detail: 'Used by: nothing else',
        schema_name: 'avansas',
        table_name: 'T',
        column_name: 'navn',
      });
    });

    it('another key', async () => {
      await apply([ID, column('nr', 'integer', { nullable: false })]);
      await expect(
        apply([ID, column('nr', 'integer', { nullable: false })], ['id', 'nr']),
      ).rejects.toMatchObject({
        code: 'CD005',
        message: 'table avansas."T": the primary key is (id) and would be (id, nr)',
      });
    });

    it.each([
      ['a view', `CREATE VIEW avansas.v AS SELECT navn FROM avansas."T"`, 'view avansas.v'],
      [
        'a policy',
        `CREATE POLICY mine ON avansas."T" USING (navn = '')`,
        'policy mine on table avansas."T"',
      ],
      [
        'a generated column',
        `ALTER TABLE avansas."T" ADD COLUMN large text GENERATED ALWAYS AS (upper(navn)) STORED`,
        'default value for column large of table avansas."T"',
      ],
    ])('to change a column that %s uses', async (_what, statement, dependant) => {
      await apply([ID, column('navn', 'character varying(10)')]);
      await run(statement);
      await expect(apply([ID, column('navn', 'text')])).rejects.toMatchObject({
        code: 'CD005',
        message: expect.stringContaining(
          'table avansas."T" column navn: character varying(10) to text is forbidden by ',
        ) as unknown,
        detail: expect.stringContaining(dependant) as unknown,
      });
    });

    it.each([
      ['a type', column('n', 'bigint'), 'column n: integer to bigint rewrites a table of'],
      [
        'a column with a value of its own for every row',
        column('guid', 'uuid', { nullable: false, default: 'gen_random_uuid()' }),
        'column guid: DEFAULT gen_random_uuid() rewrites a table of',
      ],
    ])('%s that rewrites a large table, unless that is allowed', async (_what, change, message) => {
      await run(
        `UPDATE cdc_management.setting SET value = '8192' WHERE name = 'rewrite_limit_bytes'`,
      );
      await apply([ID, column('n', 'integer')]);
      await run(`INSERT INTO avansas."T" (id) SELECT generate_series(1, 1000)`);
      const columns = change.name === 'n' ? [ID, change] : [ID, column('n', 'integer'), change];
      await expect(apply(columns)).rejects.toMatchObject({
        code: 'CD005',
        message: expect.stringContaining(message) as unknown,
      });
      await run(`SET cdc.allow_rewrite = on`);
      await apply(columns);
      await run(`RESET cdc.allow_rewrite`);
      expect(await structure()).toHaveLength(columns.length);
      await run(
        `UPDATE cdc_management.setting SET value = '67108864' WHERE name = 'rewrite_limit_bytes'`,
      );
    });
  });

  it.each([
    [`''`, true],
    [`'it''s'::character varying(5)`, true],
    ['-1.5', true],
    ['now()', true],
    ['CURRENT_TIMESTAMP', true],
    [`'{}'::jsonb`, true],
    ['gen_random_uuid()', false],
    [`nextval('a')`, false],
    [`'a' || random()`, false],
  ])('takes the default %s for a constant: %s', async (expression, expected) => {
    const [row] = await database.sql`SELECT cdc_management.is_constant(${expression}) AS is`;
    expect(row?.['is']).toBe(expected);
    expect(isConstant(expression)).toBe(expected);
  });
});
