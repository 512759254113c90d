import { describeChange, renderAlterTables, renderTable } from '@cdc-migrations/ddl-render';
import { bodyOf, visible } from '@cdc-migrations/generated-file';
import type { TableChange, TableDefinition } from '@cdc-migrations/table-defs';
import type { Diff } from './diff-result.ts';
import { groupByTable, labelOf } from './change-facts.ts';

/**
 * Renders the SQL that would run in each schema, by table. `{{SCHEMA}}` stands for the tenant's schema. Refused changes
 * are comments.
 */
export function renderSql({ changes }: Diff): string {
  return groupByTable(changes)
    .map(({ table, changes: own }) => `${renderHead(table, own)}${renderBody(table, own)}`)
    .join('\n');
}

function renderHead(table: TableDefinition, changes: readonly TableChange[]): string {
  const lines = [
    `${labelOf(table)} in ${table.set}`,
    ...changes.map((change) => `  ${change.class}: ${describeChange(change)}`),
  ];
  return lines.map((line) => `-- ${visible(line)}\n`).join('');
}

function renderBody(table: TableDefinition, changes: readonly TableChange[]): string {
  if (table.kind === 'existing') return '-- Only checked.\n';
  if (changes.some(({ kind }) => kind === 'table removed')) return '-- Nothing is dropped.\n';
  if (changes.some(({ kind }) => kind === 'table added')) {
    return bodyOf(renderTable(table, '').text);
  }
  if (changes.some((change) => change.class === 'unsafe')) {
    return '-- Refused as a whole, with the staging table, until a file of migrations/manual/ has made the unsafe change.\n';
  }
  return [...renderAlterTables(table, changes), '-- The merge of the table is replaced as well.']
    .map((statement) => `${statement}\n`)
    .join('');
}
