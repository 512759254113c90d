import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildTable } from '@cdc-migrations/table-fixture';

/** Builds a source column. */
export const column = (
  name: string,
  type: string,
  more: Partial<ColumnDefinition> = {},
): ColumnDefinition => ({ name, role: 'source', type, nullable: true, ...more });

export const ID = column('id', 'integer', { nullable: false });

/** Builds a table `T` for each tenant's schema. */
export const table = (
  columns: readonly ColumnDefinition[],
  more: Partial<ReplicatedTable> = {},
): ReplicatedTable => ({ ...buildTable({ columns }), ...more });
