import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';

/** A column of the source. */
export const column = (
  name: string,
  type: string,
  more: Partial<ColumnDefinition> = {},
): ColumnDefinition => ({ name, role: 'source', type, nullable: true, ...more });

export const ID = column('id', 'integer', { nullable: false });

/** A table `T` in each tenant's schema. */
export const table = (
  columns: readonly ColumnDefinition[],
  more: Partial<ReplicatedTable> = {},
): ReplicatedTable => ({ ...buildTable({ columns }), ...more });
