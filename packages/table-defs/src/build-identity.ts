import { shortName } from '@cdc-migrations/sql-text';
import type { TableMapping } from './find-source.ts';
import type { TableIdentity } from './table-definition.ts';

/** Builds the identity of a table and its source. */
export function buildIdentity({
  service,
  sink,
  table,
  catalog,
  source,
}: TableMapping): TableIdentity {
  return {
    set: sink.sink,
    service: service.name,
    source: { database: catalog.database, schema: catalog.schema, table: source.name },
    schema:
      table.schema === service.name
        ? { scope: 'tenant' }
        : { scope: 'literal', name: table.schema },
    name: shortName(table.table),
  };
}
