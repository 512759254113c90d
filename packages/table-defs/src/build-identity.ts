import { shortName } from '@cdc-migrations/sql-text';
import type { Place } from './find-source.ts';
import type { TableIdentity } from './table-definition.ts';

/** Which table a definition is of, and where it comes from. */
export function buildIdentity({ service, sink, table, catalog, source }: Place): TableIdentity {
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
