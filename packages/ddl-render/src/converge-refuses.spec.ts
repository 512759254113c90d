import { column, ID, useConvergedTable } from './converge.fixture.ts';

describe('a table file refuses', () => {
  const { apply, run, structure } = useConvergedTable();

  it.each<[string, string, string, string]>([
    ['a narrower type', 'character varying(10)', 'character varying(5)', 'could lose values'],
    ['a type of another family', 'text', 'integer', 'could lose values'],
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

  it('another primary key', async () => {
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

  it('to change the type of a partition key, at any level', async () => {
    await run(`
      CREATE TABLE avansas."T" (id integer, n integer, PRIMARY KEY (id, n)) PARTITION BY RANGE (id);
      CREATE TABLE avansas.part (n integer NOT NULL, id integer NOT NULL) PARTITION BY LIST (n);
      ALTER TABLE avansas."T" ATTACH PARTITION avansas.part DEFAULT`);
    const key = ['id', 'n'];
    const n = (type: string) => column('n', type, { nullable: false });
    const inParts =
      'PostgreSQL cannot change the type of a column in a partition key. Create the table again';
    await expect(
      apply([column('id', 'bigint', { nullable: false }), n('integer')], key),
    ).rejects.toMatchObject({
      code: 'CD005',
      message:
        'table avansas."T" column id: integer to bigint is forbidden by partition key of table avansas."T"',
      hint: expect.stringContaining(inParts) as unknown,
    });
    await expect(apply([ID, n('bigint')], key)).rejects.toMatchObject({
      code: 'CD005',
      hint: expect.stringContaining(inParts) as unknown,
      message:
        'table avansas."T" column n: integer to bigint is forbidden by partition key of table avansas.part',
    });
  });

  it('to narrow the type of a partition key, with a hint that repartitions the table', async () => {
    await run(`CREATE TABLE avansas."T" (id integer, "a b" integer, PRIMARY KEY (id, "a b")) PARTITION BY HASH ("a b", id);
      CREATE TABLE avansas.part PARTITION OF avansas."T" FOR VALUES WITH (MODULUS 1, REMAINDER 0)`);
    const error = await apply(
      [ID, column('a b', 'smallint', { nullable: false })],
      ['id', 'a b'],
    ).catch((refused: unknown) => refused as { readonly message: string; readonly hint: string });
    expect(error).toMatchObject({
      message: 'table avansas."T" column "a b": integer to smallint could lose values',
    });
    const [call] = /CALL cdc_management.repartition_table\(.*?\);/.exec(error!.hint)!;
    await run(call);
    await apply([ID, column('a b', 'smallint', { nullable: false })], ['id', 'a b']);
  });

  it('a table from which another table inherits', async () => {
    await apply([ID]);
    await run('CREATE TABLE shared.older () INHERITS (avansas."T")');
    await expect(apply([ID, column('n', 'integer')])).rejects.toMatchObject({
      code: 'CD005',
      message:
        'table avansas."T": its rows can also be in table shared.older, which inherits from it',
    });
    await run('ALTER TABLE shared.older NO INHERIT avansas."T"; DROP TABLE shared.older');
    await apply([ID, column('n', 'integer')]);
  });

  it.each([
    ['a generated column', 'n integer GENERATED ALWAYS AS (id + 1) STORED'],
    ['an identity column that is always generated', 'n integer GENERATED ALWAYS AS IDENTITY'],
  ])('%s that must store values of events', async (_what, definition) => {
    await run(`CREATE TABLE avansas."T" (id integer, ${definition})`);
    await run('ALTER TABLE avansas."T" ADD CONSTRAINT "pk_T" PRIMARY KEY (id)');
    await expect(apply([ID, column('n', 'integer')])).rejects.toMatchObject({
      code: 'CD005',
      message:
        'table avansas."T" column n: is always generated, and the values of events are to be stored',
    });
  });

  it('to rewrite partitions with a large total size, unless rewrites are allowed', async () => {
    await run(
      `UPDATE cdc_management.setting SET value = '40000' WHERE name = 'rewrite_limit_bytes'`,
    );
    await run(`
      CREATE TABLE avansas."T" (id integer PRIMARY KEY, n integer) PARTITION BY HASH (id);
      CREATE TABLE avansas.even PARTITION OF avansas."T" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE avansas.odd PARTITION OF avansas."T" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO avansas."T" SELECT generate_series(1, 1000)`);
    const columns = [ID, column('n', 'bigint')];
    await expect(apply(columns)).rejects.toMatchObject({
      code: 'CD005',
      message: expect.stringContaining(
        'column n: integer to bigint rewrites a table of',
      ) as unknown,
    });
    await run(`SET cdc.allow_rewrite = on`);
    await apply(columns);
    await run(`RESET cdc.allow_rewrite`);
    await run(
      `UPDATE cdc_management.setting SET value = '67108864' WHERE name = 'rewrite_limit_bytes'`,
    );
  });

  it.each([
    ['a type change', column('n', 'bigint'), 'column n: integer to bigint rewrites a table of'],
    [
      'a new column with a different value in every row',
      column('guid', 'uuid', { nullable: false, default: 'gen_random_uuid()' }),
      'column guid: DEFAULT gen_random_uuid() rewrites a table of',
    ],
  ])(
    '%s that rewrites a large table, unless rewrites are allowed',
    async (_what, change, message) => {
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
    },
  );
});
