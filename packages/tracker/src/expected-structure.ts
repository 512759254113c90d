import {
  buildStagingColumns,
  POSITION_COLUMNS,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import type { IndexStructure, RelationGroup } from './read-structure.ts';

/** How a relation should look, wherever it is. */
export type ExpectedRelation = Omit<RelationGroup, 'schemas'>;

/** The final table and the staging table of a definition. */
export function expectedRelations(table: ReplicatedTable): readonly ExpectedRelation[] {
  return [expectedFinal(table), expectedStaging(table)];
}

function expectedFinal({ name, columns, key, names }: ReplicatedTable): ExpectedRelation {
  const index = (given: Pick<IndexStructure, 'name' | 'columns'> & Partial<IndexStructure>) => ({
    primary: false,
    unique: false,
    nullsNotDistinct: false,
    valid: true,
    where: null,
    ...given,
  });
  const sync = index({ name: names.syncIndex, columns: ['__sync_timestamp'] });
  const primary =
    key && index({ name: names.primaryKey, columns: key.columns, primary: true, unique: true });
  const position = index({
    name: names.positionIndex,
    columns: POSITION_COLUMNS,
    unique: true,
    nullsNotDistinct: true,
  });
  return {
    name,
    kind: 'table',
    persistence: 'permanent',
    canInsert: false,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      nullable: column.nullable,
      default: column.default ?? null,
    })),
    indexes: [sync, primary ?? position],
    triggers: [],
    constraints: [],
  };
}

/** `tgtype` of AFTER INSERT FOR EACH STATEMENT. */
const AFTER_INSERT_STATEMENT = 4;

function expectedStaging(table: ReplicatedTable): ExpectedRelation {
  const { name, names, staging } = table;
  return {
    name: names.staging,
    kind: 'table',
    persistence: staging === 'logged' ? 'permanent' : 'unlogged',
    canInsert: true,
    columns: buildStagingColumns(table).map((column) => ({
      name: column.name,
      type: column.type,
      nullable: true,
      default: column.default ?? null,
    })),
    indexes: [],
    triggers: [
      {
        name: names.trigger,
        fires: 'always',
        type: AFTER_INSERT_STATEMENT,
        function: 'cdc_management.note_staged',
        arguments: Buffer.from(`${name}\0`).toString('hex'),
      },
    ],
    constraints: [],
  };
}
