import { buildTable } from '../../../tools/table-fixture/src/build-table.ts';
import type { ColumnDefinition } from './table-definition.ts';
import { buildStructure } from './table-structure.ts';

const ID: ColumnDefinition = { name: 'id', role: 'source', type: 'integer', nullable: false };
const NAVN: ColumnDefinition = {
  ...ID,
  name: 'navn',
  type: 'character varying(20)',
  formerly: ['n'],
};

describe('the structure of a table', () => {
  it('has the columns of the definition, and wider, nullable columns in staging', () => {
    const { final, staging } = buildStructure(buildTable({ columns: [ID, NAVN] }));
    expect(final.columns.slice(0, 3)).toEqual([
      { name: 'id', type: 'integer', nullable: false, default: null },
      {
        name: 'navn',
        type: 'character varying(20)',
        nullable: false,
        default: null,
        formerly: ['n'],
      },
      {
        name: '__sync_timestamp',
        type: 'timestamp with time zone',
        nullable: false,
        default: 'now()',
      },
    ]);
    expect(staging.columns).toContainEqual({
      name: 'id',
      type: 'bigint',
      nullable: true,
      default: null,
    });
    expect(staging.columns).toContainEqual({
      ...{ name: '__stream_generation', type: 'integer', nullable: true, default: '0' },
    });
    expect(staging.columns.filter(({ nullable }) => !nullable)).toEqual([]);
  });

  it.each([
    ['with a key', ['id'], ['idx_T_sync_timestamp', 'pk_T primary unique']],
    ['without a key', [], ['idx_T_sync_timestamp', 'uq_T_stream_position unique nullsNotDistinct']],
  ])('has the expected indexes %s', (_what, key, expected) => {
    const { final, staging } = buildStructure(buildTable({ columns: [ID], key }));
    const facts = ['primary', 'unique', 'nullsNotDistinct'] as const;
    expect(
      final.indexes.map((index) => [index.name, ...facts.filter((one) => index[one])].join(' ')),
    ).toEqual(expected);
    expect(staging.indexes).toEqual([]);
  });

  it('allows inserts only into staging, which is logged if the definition says so', () => {
    const [plain, logged] = (['unlogged', 'logged'] as const).map((kind) =>
      buildStructure(buildTable({ columns: [ID], staging: kind })),
    );
    expect([plain!.final.canInsert, plain!.staging.canInsert]).toEqual([false, true]);
    expect([plain!.staging.persistence, logged!.staging.persistence]).toEqual([
      'unlogged',
      'permanent',
    ]);
  });
});
