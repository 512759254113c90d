import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition, type ExistingTable } from '@cdc-migrations/table-defs';
import { type ManagedDatabase, startManagedDatabase } from './management.fixture.ts';
import { renderValidation } from './render-validation.ts';

function definitionOf(name: string): ExistingTable {
  const file = join(__dirname, '..', 'cases', name, 'definition.yaml');
  return parseDefinition(readFileSync(file, 'utf8'), file) as ExistingTable;
}

interface Row {
  readonly column_name: string | null;
  readonly problem: string;
}

const MAPPED = definitionOf('an-existing-table-is-only-read');
const UNMAPPED = definitionOf('an-existing-table-without-mapped-columns-is-looked-for');

describe('the check of an existing table', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterAll(() => database.server.stop());

  async function problems(table: ExistingTable, columns?: string): Promise<readonly unknown[]> {
    if (columns !== undefined)
      await database.sql.unsafe(`CREATE TABLE public.${table.name} (${columns})`);
    const { text } = renderValidation(table, 'validation/t.sql');
    const rows = (await database.sql.unsafe<Row[][]>(text).simple()).at(-1) as Row[];
    await database.sql.unsafe(`DROP TABLE IF EXISTS public.${table.name}`);
    return rows.map(({ column_name: column, problem }) => [column, problem]);
  }

  it.each<[string, string | undefined, readonly unknown[]]>([
    ['finds nothing if all columns match', 'id bigint, name text, _customer_id uuid NOT NULL', []],
    [
      'ignores unmapped columns that are nullable, generated or have a default',
      `id int, name varchar(100), _customer_id uuid, nr int GENERATED ALWAYS AS IDENTITY, made date NOT NULL DEFAULT now(), free text`,
      [],
    ],
    ['finds a missing table', undefined, [[null, 'table is missing']]],
    [
      'finds columns that are missing, too narrow or NOT NULL',
      'id smallint, name text NOT NULL',
      [
        ['id', 'column is too narrow: smallint does not take every integer of actno int'],
        ['name', 'column is NOT NULL, and Navn nvarchar(100) can be NULL'],
        ['_customer_id', 'column is missing, wanted uuid for the template column'],
      ],
    ],
    [
      'finds columns of another type, with all problems of each column',
      'id text, name varchar(99) NOT NULL, _customer_id uuid[]',
      [
        ['id', 'column has another type: text, wanted integer for actno int'],
        ['name', 'column is NOT NULL, and Navn nvarchar(100) can be NULL'],
        [
          'name',
          'column is too narrow: character varying(99) does not take every character varying(100) of Navn nvarchar(100)',
        ],
        ['_customer_id', 'column has another type: uuid[], wanted uuid for the template column'],
      ],
    ],
    [
      'finds an unmapped NOT NULL column without a default',
      'id int, name text, _customer_id uuid, must text NOT NULL',
      [['must', 'column is NOT NULL without a default, and nothing is mapped to it']],
    ],
  ])('%s', async (_what, columns, found) => {
    expect(await problems(MAPPED, columns)).toEqual(found);
  });

  it('checks that a table without mapped columns exists', async () => {
    expect(await problems(UNMAPPED)).toEqual([[null, 'table is missing']]);
    expect(await problems(UNMAPPED, 'a int')).toEqual([]);
  });
});
