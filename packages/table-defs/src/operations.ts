/** Effect of an event on a row of the final table. */
export type Operation =
  'insert' | 'update' | 'upsert' | 'snapshot' | 'delete' | 'before image' | 'truncate' | 'message';

/** Description of an operation. */
export interface OperationFacts {
  /** Names in `__cdc_operation`, written in lower case, upper case, or with a capital first letter. */
  readonly names: readonly string[];
  /** Effect of the merge, for the documentation. */
  readonly merge: string;
  /** Effect on a table without a key. */
  readonly withoutKey: string;
}

/** All operations that the merge supports. An event with any other operation is moved to the dead letters. */
export const OPERATIONS: Readonly<Record<Operation, OperationFacts>> = {
  insert: {
    names: ['c', 'create', 'i', 'insert', '2'],
    merge: 'writes the row; an omitted large value becomes NULL',
    withoutKey: 'appends the row',
  },
  update: {
    names: ['u', 'update', '4'],
    merge: 'writes the row; if a large value is omitted, the stored value is kept',
    withoutKey: 'dead letter',
  },
  upsert: {
    names: ['upsert', 'unknown'],
    merge: 'like an update',
    withoutKey: 'dead letter',
  },
  snapshot: {
    names: ['r', 'read', 'snapshot'],
    merge: 'like an update',
    withoutKey: 'appends the row',
  },
  delete: {
    names: ['d', 'delete', '1'],
    merge: 'removes the row or marks it as deleted, and records its key',
    withoutKey: 'dead letter',
  },
  'before image': {
    names: ['3'],
    merge:
      'changes nothing, because the event with operation 4 of the same update contains the new row',
    withoutKey: 'changes nothing',
  },
  truncate: {
    names: ['t', 'truncate'],
    merge: 'dead letter; with `truncate: empty`, removes all older rows or marks them as deleted',
    withoutKey: 'dead letter; with `truncate: empty`, removes all older rows',
  },
  message: {
    names: ['m', 'message'],
    merge: 'dead letter, because a message contains no row',
    withoutKey: 'dead letter',
  },
};

/** Lists all names of these operations. */
export function spellings(...operations: readonly Operation[]): readonly string[] {
  const names = operations.flatMap((operation) => OPERATIONS[operation].names);
  return [
    ...new Set(
      names.flatMap((name) => [
        name,
        name.toUpperCase(),
        name.slice(0, 1).toUpperCase() + name.slice(1),
      ]),
    ),
  ];
}
