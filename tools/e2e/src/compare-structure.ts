import { POSITION_COLUMNS, type ReplicatedTable } from '@cdc-migrations/table-defs';
import type { IndexStructure, RelationStructure } from './read-structure.ts';

/** Compares a table of the target with its definition. Returns one sentence per difference. */
export function compareStructure(
  definition: ReplicatedTable,
  actual: RelationStructure,
): readonly string[] {
  const differences: string[] = [];
  const expect = (what: string, expected: unknown, found: unknown) => {
    const [wanted, got] = [JSON.stringify(expected), JSON.stringify(found)];
    if (wanted !== got) {
      differences.push(`${actual.schema}.${actual.name} ${what}: ${got}, defined: ${wanted}`);
    }
  };
  expect('kind', 'table', actual.kind);
  expect('persistence', 'permanent', actual.persistence);
  expect(
    'columns',
    definition.columns.map(({ name }) => name),
    actual.columns.map(({ name }) => name),
  );
  for (const column of definition.columns) {
    const found = actual.columns.find(({ name }) => name === column.name);
    if (!found) continue;
    expect(`${column.name} type`, column.type, found.type);
    expect(`${column.name} nullable`, column.nullable, found.nullable);
    expect(`${column.name} default`, column.default ?? null, found.default);
  }
  expect(
    'primary key',
    expectedKey(definition),
    actual.primaryKey && describeIndex(actual.primaryKey),
  );
  expect('indexes', expectedIndexes(definition), actual.indexes.map(describeIndex));
  return differences;
}

type IndexFacts = Pick<IndexStructure, 'name' | 'columns' | 'unique'>;

function expectedKey({ key, names }: ReplicatedTable): IndexFacts | null {
  return key && { name: names.primaryKey, columns: key.columns, unique: true };
}

/**
 * Lists the expected indexes. Every final table has one for readers of new rows, and a table without a key has one for
 * the position of its rows.
 */
function expectedIndexes({ key, names }: ReplicatedTable): readonly IndexFacts[] {
  const sync = { name: names.syncIndex, columns: ['__sync_timestamp'], unique: false };
  const position = { name: names.positionIndex, columns: POSITION_COLUMNS, unique: true };
  return key ? [sync] : [sync, position];
}

function describeIndex({ name, columns, unique }: IndexStructure): IndexFacts {
  return { name, columns, unique };
}
