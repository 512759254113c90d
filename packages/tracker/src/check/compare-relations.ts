import {
  buildStructure,
  type ColumnStructure,
  type IndexStructure,
  type RelationStructure,
  type ReplicatedTable,
  type TriggerStructure,
} from '@cdc-migrations/table-defs';
import type { Difference } from './difference.ts';
import { belongsTo, type Migrations } from '../migrations/migrations.ts';
import type { ColumnConcern } from '../status/read-concerns.ts';
import type { RelationGroup } from './read-structure.ts';

/** Tables of a definition in a schema. */
export interface LocatedTable {
  readonly schema: string;
  readonly table: ReplicatedTable;
  readonly relations: readonly RelationStructure[];
}

/** Returns the tables of the definitions in each schema. */
export function locateTables(
  { set, files }: Migrations,
  schemas: readonly string[],
  tenantNames: readonly string[],
): readonly LocatedTable[] {
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
  locations: readonly {
    readonly schema: string;
    readonly relations: readonly RelationStructure[];
  }[],
  groups: readonly RelationGroup[],
  notes: readonly ColumnConcern[],
): readonly Difference[] {
  const wanted = new Map<string, RelationStructure>();
  for (const { schema, relations } of locations)
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

/** A difference, independent of the schema. */
interface RelationDifference extends Pick<Difference, 'kind' | 'message'> {
  /** The note of `cdc_management.column_note` that explains it, if there is one. */
  readonly note?: { readonly column: string; readonly state: 'to tighten' | 'left the source' };
}

const NOT_FIRING: Readonly<Record<TriggerStructure['fires'], string>> = {
  always: 'fires in every session',
  origin: 'does not fire where session_replication_role is replica',
  replica: 'fires only where session_replication_role is replica',
  never: 'is disabled',
};

/** Lists differences between a relation and its definition. Additional privileges are no difference. */
function compareRelation(
  wanted: RelationStructure,
  found: RelationStructure,
): readonly RelationDifference[] {
  if (found.kind !== wanted.kind)
    return [different(`is a ${found.kind}, expected a ${wanted.kind}`)];
  return [
    ...(found.persistence === wanted.persistence
      ? []
      : [different(`is ${found.persistence}, expected ${wanted.persistence}`)]),
    ...compareColumns(wanted.columns, found.columns),
    ...pair(wanted.indexes, found.indexes, 'index', compareIndex),
    ...pair(wanted.triggers, found.triggers, 'trigger', (one, other) => [
      ...(one.fires === other.fires ? [] : [NOT_FIRING[other.fires]]),
      ...compareFacts(one, other, ['type', 'function', 'arguments']),
    ]),
    ...found.constraints.map((name): RelationDifference => ({
      kind: 'extra',
      message: `constraint "${name}"`,
    })),
    ...(wanted.canInsert && !found.canInsert
      ? [{ kind: 'missing' as const, message: 'the privilege of the role to insert' }]
      : []),
  ];
}

function compareColumns(
  wanted: readonly ColumnStructure[],
  found: readonly ColumnStructure[],
): readonly RelationDifference[] {
  const nullable = new Map(found.map((column) => [column.name, column.nullable]));
  const loose = wanted.filter((column) => !column.nullable && nullable.get(column.name));
  return [
    ...pair(wanted, found, 'column', compareColumn),
    ...loose.map(({ name }): RelationDifference => ({
      ...different(`column "${name}" can be NULL`),
      note: { column: name, state: 'to tighten' },
    })),
  ];
}

function compareColumn(wanted: ColumnStructure, found: ColumnStructure): readonly string[] {
  return [
    ...(wanted.type === found.type ? [] : [`is ${found.type}, expected ${wanted.type}`]),
    ...(wanted.nullable && !found.nullable ? ['is NOT NULL'] : []),
    ...((wanted.default === null) === (found.default === null)
      ? []
      : [found.default === null ? 'has no default' : `has the default ${found.default}`]),
  ];
}

function compareIndex(wanted: IndexStructure, found: IndexStructure): readonly string[] {
  return [
    ...(found.valid ? [] : ['is not valid']),
    ...compareFacts(wanted, found, ['columns', 'primary', 'unique', 'nullsNotDistinct', 'method']),
    // PostgreSQL spells conditions in its own way, so the name of an index identifies it.
    ...((wanted.where === null) === (found.where === null)
      ? []
      : compareFacts(wanted, found, ['where'])),
  ];
}

function compareFacts<Value>(
  wanted: Value,
  found: Value,
  facts: readonly (keyof Value & string)[],
): readonly string[] {
  return facts
    .filter((fact) => JSON.stringify(wanted[fact]) !== JSON.stringify(found[fact]))
    .map(
      (fact) =>
        `has ${fact} ${JSON.stringify(found[fact])}, expected ${JSON.stringify(wanted[fact])}`,
    );
}

/** Pairs parts by name and lists their differences. */
function pair<Part extends { readonly name: string }>(
  wanted: readonly Part[],
  found: readonly Part[],
  what: 'column' | 'index' | 'trigger',
  compare: (wanted: Part, found: Part) => readonly string[],
): readonly RelationDifference[] {
  const byName = new Map(found.map((part) => [part.name, part]));
  const names = new Set(wanted.map(({ name }) => name));
  return [
    ...wanted.flatMap((part): readonly RelationDifference[] => {
      const label = `${what} "${part.name}"`;
      const other = byName.get(part.name);
      if (!other) return [{ kind: 'missing', message: label }];
      return compare(part, other).map((message) => different(`${label} ${message}`));
    }),
    ...found
      .filter(({ name }) => !names.has(name))
      .map(({ name }): RelationDifference => ({
        kind: 'extra',
        message: `${what} "${name}"`,
        ...(what === 'column' && { note: { column: name, state: 'left the source' } }),
      })),
  ];
}

function different(message: string): RelationDifference {
  return { kind: 'different', message };
}
