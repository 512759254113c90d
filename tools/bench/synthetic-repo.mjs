import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderSnapshot } from '@cdc-migrations/catalog';

/** @import { Catalog, CatalogColumn } from '@cdc-migrations/catalog' */

const COLUMNS = 25;
const TENANTS = 26;

/** Types in the proportions of an ordinary business table. A table takes them in turn. */
const TYPES = /** @type {const} */ ([
  { type: 'int' },
  { type: 'nvarchar', length: 50 },
  { type: 'datetime' },
  { type: 'bit' },
  { type: 'nvarchar', length: 'max' },
  { type: 'decimal', precision: 18, scale: 2 },
  { type: 'varchar', length: 255 },
  { type: 'uniqueidentifier' },
]);

/**
 * Writes an implementation repo with N replicated tables of 25 columns, 26 tenants, and its snapshot.
 *
 * @param {string} folder
 * @param {number} tables
 */
export function writeSyntheticRepo(folder, tables) {
  const names = Array.from({ length: tables }, (_, i) => `Table${String(i).padStart(5, '0')}`);
  const snapshot = renderSnapshot(buildCatalog(names));
  const files = {
    'source-groups.yaml': renderSourceGroups(),
    'sink-groups.yaml': SINK_GROUPS,
    'services/bench.yaml': renderService(names),
    'services/_schemas/column-templates.yaml':
      'templates:\n  customer_id:\n    name: _customer_id\n    type: uuid\n    not_null: true\n',
    [snapshot.path]: snapshot.text,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/**
 * @param {readonly string[]} names
 * @returns {Catalog}
 */
function buildCatalog(names) {
  return {
    database: 'Bench',
    schema: 'dbo',
    type: 'mssql',
    pattern: 'db-per-tenant',
    collation: 'Danish_Norwegian_CI_AS',
    tables: names.map((name) => ({
      name,
      columns: Array.from({ length: COLUMNS }, (_, i) => buildColumn(i)),
      primaryKey: { name: `PK_${name}`, columns: ['Id'] },
      uniqueIndexes: [],
      foreignKeys: [],
    })),
  };
}

/**
 * @param {number} index
 * @returns {CatalogColumn}
 */
function buildColumn(index) {
  if (index === 0) return { name: 'Id', type: 'int', nullable: false, identity: true };
  return {
    name: `Column${index}`,
    nullable: index % 3 > 0,
    ...(TYPES[index % TYPES.length] ?? TYPES[0]),
  };
}

/** @param {readonly string[]} names */
function renderService(names) {
  const tables = names.map((name) => `      dbo.${name}: {}\n`).join('');
  const sinkTables = names
    .map(
      (name) =>
        `        bench.${name}:\n          from: dbo.${name}\n          target_exists: false\n` +
        '          column_templates:\n            - template: customer_id\n',
    )
    .join('');
  return (
    'bench:\n  source:\n    validation_database: Bench\n    validation_env: nonprod\n' +
    `    tables:\n${tables}  sinks:\n    sink_bench.directory:\n      tables:\n${sinkTables}`
  );
}

function renderSourceGroups() {
  const tenants = Array.from(
    { length: TENANTS },
    (_, i) =>
      `    tenant${i}:\n      schemas: [dbo]\n      prod: { server: default, database: Bench${i} }\n`,
  ).join('');
  return (
    'bench:\n  pattern: db-per-tenant\n  type: mssql\n  validation_env: nonprod\n  database_ref: Bench\n' +
    `  envs: [nonprod, prod]\n  servers:\n    default: ${SERVER}\n  sources:\n${tenants}`
  );
}

const SERVER = "{ host: '${HOST}', port: '${PORT}', user: '${USER}', password: '${PASSWORD}' }";
const SINK_GROUPS = `sink_bench:
  source_group: bench
  pattern: db-shared
  type: postgres
  envs: [nonprod, prod]
  servers:
    default: ${SERVER}
  sources:
    directory:
      schemas: [public]
      prod: { server: default, database: directory }
`;
