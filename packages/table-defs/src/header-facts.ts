import type { HeaderFacts } from '@cdc-migrations/generated-file';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';

/** Lists the facts of a table for the headers of all its files. */
export function headerFacts(table: TableDefinition): Required<Omit<HeaderFacts, 'by'>> {
  const { database, schema, table: from } = table.source;
  return {
    source: `${database}.${schema}.${from}`,
    target: `${table.set} ${schemaLabel(table)}.${table.name}`,
    transforms: table.kind === 'replicated' ? table.transforms : [],
  };
}
