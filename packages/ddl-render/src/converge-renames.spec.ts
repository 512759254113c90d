import { column, ID, useConvergedTable } from './converge.fixture.ts';

describe('the file of a table renames a column', () => {
  const { apply, database, fill, notes, run, structure } = useConvergedTable();

  const was = (...formerly: readonly string[]) =>
    column('navn', 'character varying(20)', { formerly });
  const rows = () => run(`SELECT id, navn FROM avansas."T" ORDER BY id`);

  it.each([
    ['its only earlier name', ['name'], 'name', was('name')],
    ['the newest of its earlier names', ['first', 'second'], 'second', was('second', 'first')],
    ['an older name if the newest one is missing', ['first'], 'first', was('second', 'first')],
  ])('from %s, keeps its values and makes its other changes', async (_what, columns, from, now) => {
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

  it('unless a column with the new name exists', async () => {
    await apply([ID, column('name', 'text'), column('navn', 'character varying(20)')]);
    await run(`INSERT INTO avansas."T" (id, name, navn) VALUES (1, 'old', 'new')`);
    await apply([ID, was('name')]);
    expect(await rows()).toEqual([{ id: 1, navn: 'new' }]);
    expect(await structure()).toContain('name text');
  });

  it('that is part of the key and used by a view', async () => {
    await apply([column('nr', 'integer', { nullable: false }), column('navn', 'text')], ['nr']);
    await run(`CREATE VIEW avansas.v AS SELECT nr FROM avansas."T"`);
    await apply([{ ...ID, formerly: ['nr'] }, column('navn', 'text')]);
    expect(await structure()).toEqual(['id integer NOT NULL', 'navn text']);
    expect(await run('SELECT nr FROM avansas.v')).toEqual([]);
  });

  it('and moves its state "to tighten" to the new name', async () => {
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

  it('as shown in the plan, and refuses an unsafe type change under the new name', async () => {
    await apply([ID, column('name', 'text')]);
    const columns = JSON.stringify([
      ['id', 'integer', true, null],
      ['navn', 'integer', false, null, ['name']],
    ]);
    const plan = await database().sql`
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
