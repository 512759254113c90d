import { column, ID, useConvergedTable } from './converge.fixture.ts';

describe('the file of a table refuses', () => {
  const { apply, run, structure } = useConvergedTable();

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
