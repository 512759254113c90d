import type { ColumnDefinition, KeyDefinition, MappedColumn } from '../table-definition.ts';
import type { TableDefinition } from '../table-definition.ts';

/**
 * What a change means for a table in a target: `free` a change of the catalog only; `rewrite` nothing is lost and the
 * table is written anew under a lock; `unsafe` values can be lost or the change can fail, so that it is refused;
 * `informational` nothing is done.
 */
export type ChangeClass = 'free' | 'rewrite' | 'unsafe' | 'informational';

/** A column of a replicated table or of one that exists already. */
export type AnyColumn = ColumnDefinition | MappedColumn;

/** A change of what is there before and after. */
export interface BothSides<Side> {
  readonly before: Side;
  readonly after: Side;
}

/** What each kind of change is about, before and after it. */
export interface ChangeSides {
  'table added': { readonly before: null; readonly after: TableDefinition };
  'table removed': { readonly before: TableDefinition; readonly after: null };
  /** `facts`: what is different and changes no column. */
  'table redefined': BothSides<TableDefinition> & { readonly facts: readonly string[] };
  'column added': { readonly before: null; readonly after: AnyColumn };
  'column removed': { readonly before: AnyColumn; readonly after: null };
  'column renamed': BothSides<AnyColumn>;
  'type changed': BothSides<AnyColumn>;
  'nullability changed': BothSides<AnyColumn>;
  'default changed': BothSides<AnyColumn>;
  /** `facts`: what is different and changes nothing in the target. */
  'column redefined': BothSides<AnyColumn> & { readonly facts: readonly string[] };
  'key changed': BothSides<KeyDefinition | null>;
}

/** The kind of a change: it decides what both sides are. */
export type ChangeKind = keyof ChangeSides;

/** A change of one kind. */
export type ChangeOf<Kind extends ChangeKind> = ChangeSides[Kind] & {
  readonly kind: Kind;
  readonly class: ChangeClass;
  /** The table as it is after the change; before it, where it is removed. */
  readonly table: TableDefinition;
};

/** A difference between two definitions of a table. */
export type TableChange = { readonly [Kind in ChangeKind]: ChangeOf<Kind> }[ChangeKind];

const ORDER: readonly ChangeClass[] = ['informational', 'free', 'rewrite', 'unsafe'];

/** Gives the class of changes that are made together. */
export function worstClass(classes: readonly ChangeClass[]): ChangeClass {
  return ORDER[Math.max(0, ...classes.map((one) => ORDER.indexOf(one)))]!;
}
