import {
  buildStructure,
  type RelationStructure,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { compareRelation, type RelationDifference } from './compare-relation.ts';
import type { Difference } from './difference.ts';
import { belongsTo, type Migrations } from '../migrations/migrations.ts';
import type { ColumnConcern } from '../status/read-concerns.ts';
import type { RelationGroup } from './read-structure.ts';

/** Tables of a definition in a schema. */
export interface PlacedTable {
  readonly schema: string;
  readonly table: ReplicatedTable;
  readonly relations: readonly RelationStructure[];
}

/** Returns the tables of the definitions in each schema. */
export function placeTables(
  { set, files }: Migrations,
  schemas: readonly string[],
  tenantNames: readonly string[],
): readonly PlacedTable[] {
  const tenants = new Set(tenantNames);
  const expected = files.flatMap((file) =>
    file.category === 'tables' && file.table
      ? [{ file, table: file.table, relations: relationsOf(file.table) }]
      : [],
  );
  return schemas.flatMap((schema) =>
    expected
      .filter(({ file }) => belongsTo(file, schema, { set, tenants }))
      .map(({ table, relations }) => ({ schema, table, relations })),
  );
}

function relationsOf(table: ReplicatedTable): readonly RelationStructure[] {
  const { final, staging } = buildStructure(table);
  return [final, staging];
}

/**
 * Compares relations of a target with those that its schemas should have. Unknown relations in tenants' schemas are
 * extra. In other schemas only ours were read.
 */
export function compareRelations(
  places: readonly {
    readonly schema: string;
    readonly relations: readonly RelationStructure[];
  }[],
  groups: readonly RelationGroup[],
  notes: readonly ColumnConcern[],
): readonly Difference[] {
  const wanted = new Map<string, RelationStructure>();
  for (const { schema, relations } of places)
    for (const relation of relations) wanted.set(`${schema}\0${relation.name}`, relation);
  const compared = new Map<RelationGroup, Map<RelationStructure, readonly RelationDifference[]>>();
  const isNoted = new Set(
    notes.map(({ schema, table, column, state }) => noteKey(schema, table, column, state)),
  );
  const differences: Difference[] = [];
  for (const group of groups) {
    for (const schema of group.schemas) {
      const expected = wanted.get(`${schema}\0${group.name}`);
      wanted.delete(`${schema}\0${group.name}`);
      if (!expected) {
        differences.push({ kind: 'extra', schema, name: group.name, message: group.kind });
        continue;
      }
      const known = compared.get(group) ?? new Map();
      if (!known.has(expected)) known.set(expected, compareRelation(expected, group));
      compared.set(group, known);
      for (const { kind, message, note } of known.get(expected)!) {
        if (note && isNoted.has(noteKey(schema, group.name, note.column, note.state))) continue;
        differences.push({ kind, schema, name: group.name, message });
      }
    }
  }
  for (const [key, { name }] of wanted)
    differences.push({
      kind: 'missing',
      schema: key.slice(0, key.indexOf('\0')),
      name,
      message: 'table',
    });
  return differences;
}

function noteKey(...parts: readonly string[]): string {
  return parts.join('\0');
}
