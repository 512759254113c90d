import type {
  ColumnStructure,
  IndexStructure,
  RelationStructure,
  TriggerStructure,
} from '@cdc-migrations/table-defs';
import type { Difference } from './difference.ts';

/** A difference, independent of the schema. */
export interface RelationDifference extends Pick<Difference, 'kind' | 'message'> {
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
export function compareRelation(
  wanted: RelationStructure,
  found: RelationStructure,
): readonly RelationDifference[] {
  if (found.kind !== wanted.kind) return [different(`is a ${found.kind}, wanted a ${wanted.kind}`)];
  return [
    ...(found.persistence === wanted.persistence
      ? []
      : [different(`is ${found.persistence}, wanted ${wanted.persistence}`)]),
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
      ? [{ kind: 'missing' as const, message: 'the right of the role to insert' }]
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
    ...(wanted.type === found.type ? [] : [`is ${found.type}, wanted ${wanted.type}`]),
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
        `has ${fact} ${JSON.stringify(found[fact])}, wanted ${JSON.stringify(wanted[fact])}`,
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
