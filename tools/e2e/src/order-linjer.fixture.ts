import type { ColumnDefinition, ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildNames, buildTable } from '@cdc-migrations/table-fixture';

const source = (
  name: string,
  type: string,
  sourceType: string,
  nullable = true,
): ColumnDefinition => ({
  name,
  role: 'source',
  type,
  nullable,
  source: { name, type: sourceType },
  exactness: 'exact',
});

/** A table whose name needs quotes, with a column for each way in which an event can be bad. */
export const ORDER_LINJER = buildTable({
  set: 'sink_test.target',
  service: 'test',
  source: { database: 'Test', schema: 'dbo', table: 'Order-Linjer' },
  name: 'Order-Linjer',
  columns: [
    source('OrderID', 'integer', 'int', false),
    source('LinjeNr', 'smallint', 'smallint', false),
    source('Beløp', 'numeric(5,2)', 'decimal(5,2)'),
    source('Tekst', 'character varying(10)', 'nvarchar(10)'),
    source('Status', 'character varying(20)', 'varchar(20)', false),
    source('Notat', 'text', 'nvarchar(max)'),
    source('Dokument', 'xml', 'xml'),
    source('Data', 'jsonb', 'json'),
    source('Antall', 'smallint', 'tinyint'),
    { name: '_customer_id', role: 'template', type: 'uuid', nullable: false },
  ],
  key: ['OrderID', 'LinjeNr'],
});

/** Builds a table like `ORDER_LINJER` with another name. */
export const orderTable = (name: string): ReplicatedTable => ({
  ...ORDER_LINJER,
  name,
  names: buildNames(name),
});
