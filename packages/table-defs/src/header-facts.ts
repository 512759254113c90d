import type { HeaderFacts } from '@cdc-migrations/generated-file';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';

/** Lists what the headers of all files of a table say of it. */
export function headerFacts(table: TableDefinition): Required<Omit<HeaderFacts, 'by'>> {
  const { database, schema, table: from } = table.source;
  return {
    source: `${database}.${schema}.${from}`,
    target: `${table.set} ${schemaLabel(table)}.${table.name}`,
    transforms: table.kind === 'replicated' ? table.transforms : [],
  };
}
