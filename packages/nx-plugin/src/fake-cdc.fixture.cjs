#!/usr/bin/env node
'use strict';
// Reads and writes the files of every stage as the command line does, without its work.
const { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
const { load } = require('js-yaml');

const stage = process.argv[process.argv.indexOf('--only') + 1];
const user = process.env['CDC_DB_USER'] ?? 'postgres';
const read = (path) => readFileSync(path, 'utf8');
const list = (folder) => (folder ? readdirSync(folder).map((file) => join(folder, file)) : []);
const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
};
const existing = (folder) => {
  try {
    return list(folder);
  } catch {
    return [];
  }
};
const definitions = () => list('generated/table-definitions');

const STAGES = {
  'table-defs': () => {
    rmSync('generated/table-definitions', { recursive: true, force: true });
    const service = load(read('services/adopus.yaml')).adopus;
    const columns = Object.assign({}, ...list('generated/schemas').map((path) => load(read(path))));
    for (const [name, { ignore_columns: ignored = [] }] of Object.entries(service.source.tables)) {
      const table = name.replace('dbo.', '');
      const kept = (columns[table] ?? []).filter((column) => !ignored.includes(column));
      write(`generated/table-definitions/${table}.yaml`, `name: ${table}\ncolumns: [${kept}]`);
    }
    write('generated/migration-sets.yaml', Object.keys(service.sinks).join('\n'));
  },
  schemas: () => {
    const tenants = Object.keys(load(read('source-groups.yaml')).adopus.sources);
    write(
      'migrations/schemas/create-schemas.sql',
      `${read('generated/migration-sets.yaml')}${tenants} ${user}`,
    );
  },
  infrastructure: () =>
    write(
      'migrations/infrastructure/cdc-management.sql',
      `${read('generated/migration-sets.yaml')}${user}`,
    ),
  tables: () => {
    for (const path of definitions())
      write(
        path.replace('generated/table-definitions', 'migrations/tables').replace('.yaml', '.sql'),
        read(path),
      );
    write('migrations/validation/Role.sql', read('generated/migration-sets.yaml'));
  },
  staging: () => {
    for (const path of definitions())
      write(
        path
          .replace('generated/table-definitions', 'migrations/staging')
          .replace('.yaml', '-staging.sql'),
        `${read(path)}${user}`,
      );
  },
  migrations: () =>
    write(
      'migrations/manifest.yaml',
      ['schemas', 'infrastructure', 'tables', 'staging', 'validation', 'manual']
        .flatMap((folder) => existing(`migrations/${folder}`))
        .map((path) => `${path}: ${read(path).length}`)
        .join('\n'),
    ),
};
STAGES[stage]();
