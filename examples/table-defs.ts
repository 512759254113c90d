/** Shows the PostgreSQL types of SQL Server types, and the cost of type changes. */
import { classifyTypeChange, formatSourceType, mapType } from '@cdc-migrations/table-defs';
import type { CatalogColumn } from '@cdc-migrations/catalog';

const columns: readonly CatalogColumn[] = [
  { name: 'Navn', type: 'nvarchar', length: 100, nullable: true },
  { name: 'Opprettet', type: 'datetime2', scale: 7, nullable: false },
  { name: 'Saldo', type: 'money', nullable: true },
  { name: 'Sted', type: 'geography', nullable: true },
];
const noOverrides = { overrides: undefined, table: 'dbo.Actor' };
for (const column of columns) {
  const mapped = mapType('mssql', column, noOverrides);
  const kept = mapped && `${mapped.type}, ${mapped.exactness}`;
  const why = mapped?.reason ? `: ${mapped.reason}` : '';
  console.log(`${formatSourceType(column)} -> ${kept ?? 'nothing'}${why}`);
}

for (const [from, to] of [
  ['character varying(50)', 'character varying(100)'],
  ['integer', 'bigint'],
  ['bigint', 'integer'],
] as const) {
  console.log(`${from} -> ${to}: ${classifyTypeChange(from, to)}`);
}
