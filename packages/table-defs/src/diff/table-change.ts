import type {
  ColumnDefinition,
  KeyDefinition,
  MappedColumn,
  PartitioningDefinition,
} from '../table-definition.ts';
import type { TableDefinition } from '../table-definition.ts';

/**
 * Effect of a change on a target's table. `free`: only the catalog changes. `rewrite`: nothing is lost, and the table
 * is rewritten under a lock. `unsafe`: values can be lost or the change can fail, so it is refused. `informational`:
 * nothing is done.
 */
export type ChangeClass = 'free' | 'rewrite' | 'unsafe' | 'informational';

/** A column of a replicated table or of an existing one. */
export type AnyColumn = ColumnDefinition | MappedColumn;

/** A change with a value before and after. */
export interface BothSides<Side> {
  readonly before: Side;
  readonly after: Side;
}

/** Sides of each kind of change. */
export interface ChangeSides {
  'table added': { readonly before: null; readonly after: TableDefinition };
  'table removed': { readonly before: TableDefinition; readonly after: null };
  /** `facts`: changed properties other than the columns. */
  'table redefined': BothSides<TableDefinition> & { readonly facts: readonly string[] };
  'column added': { readonly before: null; readonly after: AnyColumn };
  'column removed': { readonly before: AnyColumn; readonly after: null };
  'column renamed': BothSides<AnyColumn>;
  'type changed': BothSides<AnyColumn>;
  'nullability changed': BothSides<AnyColumn>;
  'default changed': BothSides<AnyColumn>;
  /** `facts`: changed properties that change nothing in the target. */
  'column redefined': BothSides<AnyColumn> & { readonly facts: readonly string[] };
  'key changed': BothSides<KeyDefinition | null>;
  'partitions changed': BothSides<PartitioningDefinition | null>;
}

/** Kind of a change. It determines the type of both sides. */
export type ChangeKind = keyof ChangeSides;

/** A change of one kind. */
export type ChangeOf<Kind extends ChangeKind> = ChangeSides[Kind] & {
  readonly kind: Kind;
  readonly class: ChangeClass;
  /** The table after the change. For a removed table, the table before it. */
  readonly table: TableDefinition;
};

/** A difference between two definitions of a table. */
export type TableChange = { readonly [Kind in ChangeKind]: ChangeOf<Kind> }[ChangeKind];

const ORDER: readonly ChangeClass[] = ['informational', 'free', 'rewrite', 'unsafe'];

/** Returns the worst class of changes that are made together. */
export function worstClass(classes: readonly ChangeClass[]): ChangeClass {
  return ORDER[Math.max(0, ...classes.map((one) => ORDER.indexOf(one)))]!;
}
