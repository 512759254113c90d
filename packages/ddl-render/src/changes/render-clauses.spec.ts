import { diffTables, type ColumnDefinition } from '@cdc-migrations/table-defs';
import { applyText, startManagedDatabase, type ManagedDatabase } from '../management.fixture.ts';
import { renderTable } from '../render-table.ts';
import { column, ID, table } from './changes.fixture.ts';
import { renderAlterTables, renderClauses } from './render-clauses.ts';

const NOT_NULL = { nullable: false };
const GUID = { default: 'gen_random_uuid()' };

/** Columns of a table before and after a change, without its key. */
const CASES: readonly [string, readonly ColumnDefinition[], readonly ColumnDefinition[]][] = [
  ['a new column', [], [column('a', 'text')]],
  [
    'a new column with a constant default',
    [],
    [column('a', 'boolean', { ...NOT_NULL, default: 'false' })],
  ],
  ['a new column that is NOT NULL', [], [column('a', 'text', NOT_NULL)]],
  [
    'a new column with a different default for each row',
    [],
    [column('a', 'uuid', { ...NOT_NULL, ...GUID })],
  ],
  ['a removed column', [column('a', 'text')], []],
  ['a removed NOT NULL column', [column('a', 'text', NOT_NULL)], []],
  [
    'longer texts and numbers',
    [column('a', 'character varying(10)'), column('b', 'numeric(5,2)')],
    [column('a', 'text'), column('b', 'numeric(9,2)')],
  ],
  ['a wider number', [column('a', 'smallint')], [column('a', 'bigint')]],
  ['padded text', [column('a', 'character(4)')], [column('a', 'character(6)')]],
  ['a shorter text', [column('a', 'text')], [column('a', 'character varying(5)')]],
  ['a type of another family', [column('a', 'text')], [column('a', 'integer')]],
  ['a column that becomes nullable', [column('a', 'text', NOT_NULL)], [column('a', 'text')]],
  ['a column that becomes NOT NULL', [column('a', 'text')], [column('a', 'text', NOT_NULL)]],
  ['a new default', [column('a', 'text')], [column('a', 'text', { default: `''` })]],
  [
    'a changed default',
    [column('a', 'text', { default: `''` })],
    [column('a', 'text', { default: `'x'` })],
  ],
  ['a removed default', [column('a', 'text', { default: `''` })], [column('a', 'text')]],
  [
    'a rename with other changes',
    [column('a', 'character varying(10)', NOT_NULL), column('gone', 'text')],
    [column('A b', 'text', { formerly: ['a'] }), column('new', 'date')],
  ],
];

describe('a table change', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  beforeEach(async () => {
    await database.sql`DROP TABLE IF EXISTS avansas."T" CASCADE`;
  });
  afterAll(() => database.server.stop());

  const fileNode = async () => {
    const [row] = await database.sql`SELECT pg_relation_filenode('avansas."T"') AS node`;
    return row?.['node'] as number;
  };

  it.each(CASES)(
    'matches the plan of the target and the result of apply: %s',
    async (_, before, after) => {
      const [from, to] = [table([ID, ...before]), table([ID, ...after])];
      await applyText(database.sql, renderTable(from, 'tables/T.sql').text);
      const values = before.map(({ type }) => (/^(small|num)/.test(type) ? '1' : `'x'`));
      const names = before.map(({ name }) => `"${name}"`);
      await database.sql.unsafe(
        `INSERT INTO avansas."T" (${['id', ...names].join(', ')}) VALUES (${['1', ...values].join(', ')})`,
      );
      const changes = diffTables([from], [to]);
      expect(changes).not.toEqual([]);
      const entries = to.columns.map(
        ({ name, type, nullable, default: value = null, formerly }) => [
          ...[name, type, !nullable, value],
          ...(formerly ? [formerly] : []),
        ],
      );
      const plan = await database.sql<{ class: string; clause: string | null }[]>`
      SELECT class, clause
      FROM cdc_management.plan_table('avansas', 'T', ${JSON.stringify(entries)}::text::jsonb, ARRAY['id'])`;
      const expected = plan.map(({ class: kind, clause }) => `${kind} ${clause ?? ''}`).toSorted();
      const found = changes.flatMap((change) => {
        const { final } = renderClauses(change);
        const clauses = final.length === 0 ? [''] : final;
        return clauses.map((clause) => `${change.class} ${unquoteWhereNotNeeded(clause)}`);
      });
      expect(found.toSorted()).toEqual(expected);

      const node = await fileNode();
      const apply = applyText(database.sql, renderTable(to, 'tables/T.sql').text);
      const classes = new Set(changes.map((change) => change.class));
      if (classes.has('unsafe')) await expect(apply).rejects.toMatchObject({ code: 'CD005' });
      else await apply;
      expect((await fileNode()) === node).toBe(!classes.has('rewrite'));
    },
  );

  /** Removes quotes that PostgreSQL does not need. */
  function unquoteWhereNotNeeded(clause: string): string {
    return clause.replace(/"([a-z_][a-z0-9_]*)"/g, '$1');
  }

  it('is one ALTER TABLE for the final table and one for staging, after the renames', () => {
    const [, before, after] = CASES.at(-1)!;
    const [from, to] = [table([ID, ...before]), table([ID, ...after])];
    expect(renderAlterTables(to, diffTables([from], [to]))).toEqual([
      'ALTER TABLE "{{SCHEMA}}"."T" RENAME COLUMN "a" TO "A b";',
      'ALTER TABLE "{{SCHEMA}}"."T"\n  ALTER COLUMN "A b" TYPE text,\n  ALTER COLUMN "A b" DROP NOT NULL,\n  ADD COLUMN "new" date;',
      'ALTER TABLE "{{SCHEMA}}"."stg_T" RENAME COLUMN "a" TO "A b";',
      'ALTER TABLE "{{SCHEMA}}"."stg_T"\n  ADD COLUMN "new" date;',
    ]);
  });
});
