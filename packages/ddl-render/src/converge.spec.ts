import { isConstant } from '@cdc-migrations/table-defs';
import { column, ID, table, useConvergedTable } from './converge.fixture.ts';
import { renderTable } from './render-table.ts';

describe('a table file', () => {
  const { apply, database, fill, notes, run, structure } = useConvergedTable();

  it('creates the table, and takes only a read lock the second time', async () => {
    const columns = [ID, column('navn', 'character varying(10)'), column('x', 'uuid')];
    await apply(columns);
    const { text } = renderTable(table(columns), 'tables/T.sql');
    const other = database().server.connect({ database: await name(), max: 1 });
    await database().sql.begin(async (transaction) => {
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
    const [row] = await database().sql`SELECT current_database() AS name`;
    return row?.['name'] as string;
  }

  it('adds columns and widens types without a rewrite of the table', async () => {
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

  it('makes all changes in one ALTER TABLE', async () => {
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

  it('adds a NOT NULL column to a table with rows as nullable, to be tightened later', async () => {
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

  it('makes new and existing columns of an empty table NOT NULL', async () => {
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

  it('keeps a column that left the source, and makes it nullable', async () => {
    await apply([ID, column('gone', 'text', { nullable: false })]);
    await fill().catch(() => run(`INSERT INTO avansas."T" (id, gone) VALUES (1, 'x')`));
    await apply([ID]);
    await apply([ID]);
    expect(await structure()).toEqual(['gone text', 'id integer NOT NULL']);
    expect(await notes()).toEqual([
      { column_name: 'gone', state: 'left the source', statement: null },
    ]);
  });

  it('does not change columns that users added: identity, generated, and NOT NULL with a default', async () => {
    await apply([ID]);
    await run(`ALTER TABLE avansas."T" ADD COLUMN nr int GENERATED ALWAYS AS IDENTITY,
      ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED, ADD COLUMN mine text NOT NULL DEFAULT ''`);
    const before = await structure();
    await apply([ID]);
    expect(await structure()).toEqual(before);
  });

  it('accepts a primary key to which users added INCLUDE columns', async () => {
    await apply([ID, column('navn', 'text')]);
    await run(
      `ALTER TABLE avansas."T" DROP CONSTRAINT "pk_T", ADD PRIMARY KEY (id) INCLUDE (navn)`,
    );
    await expect(apply([ID, column('navn', 'text')])).resolves.toBeUndefined();
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
  ])('classifies the default %s as constant: %s', async (expression, expected) => {
    const [row] = await database().sql`SELECT cdc_management.is_constant(${expression}) AS is`;
    expect(row?.['is']).toBe(expected);
    expect(isConstant(expression)).toBe(expected);
  });
});
