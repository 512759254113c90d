/** Finds columns of a snapshot that are hard to track: no key, or values without a limit. */
import { parseSnapshot, type CatalogTable } from '@cdc-migrations/catalog';

const snapshot = `
database: AdOpusTest
schema: dbo
type: mssql
pattern: db-per-tenant
tables:
  Actor:
    columns:
      - {"name": "actno", "type": "int", "nullable": false}
      - {"name": "Merknad", "type": "nvarchar", "length": "max", "nullable": true}
    primary_key: {"name": "PK_Actor", "columns": ["actno"]}
  Logg:
    columns:
      - {"name": "Tid", "type": "datetime", "nullable": false}
`;

const { tables } = parseSnapshot(snapshot, 'AdOpusTest.dbo.yaml');
for (const table of tables) for (const remark of remarksOn(table)) console.log(remark);

function remarksOn({ name, columns, primaryKey, uniqueIndexes }: CatalogTable): readonly string[] {
  const large = columns.filter(({ length }) => length === 'max');
  return [
    ...(primaryKey || uniqueIndexes.length > 0 ? [] : [`${name} has no key`]),
    ...large.map((column) => `${name}.${column.name} has no limit`),
  ];
}
