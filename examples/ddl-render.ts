/** Renders DDL from a definition, without YAML and without a database. */
import { renderTable } from '@cdc-migrations/ddl-render';
import {
  buildObjectNames,
  METADATA_COLUMNS,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

const invoice: ReplicatedTable = {
  kind: 'replicated',
  set: 'reporting',
  service: 'billing',
  source: { database: 'billing', schema: 'public', table: 'invoice' },
  schema: { scope: 'literal', name: 'reporting' },
  name: 'invoice',
  names: buildObjectNames('invoice'),
  key: { columns: ['number'], origin: 'primary key' },
  deleteMode: 'hard',
  staging: 'unlogged',
  transforms: [],
  columns: [
    { name: 'number', role: 'source', type: 'bigint', nullable: false },
    { name: 'amount', role: 'source', type: 'numeric(12,2)', nullable: false },
    ...METADATA_COLUMNS,
  ],
};

const { text } = renderTable(invoice, 'migrations/tables/invoice.sql');
console.log(text.split('\n\n').find((part) => part.startsWith('CREATE TABLE')));
