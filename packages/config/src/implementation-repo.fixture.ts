import type { FileText } from './config-files.ts';

/**
 * Builds the files of a small valid implementation repo. `files` replaces some of them, or removes them if undefined.
 */
export function implementationRepo(
  files: Readonly<Record<string, FileText | undefined>> = {},
): Map<string, FileText> {
  const all = { ...REPO, ...files };
  return new Map(
    Object.entries(all).flatMap(([file, text]): [string, FileText][] =>
      text === undefined ? [] : [[file, text]],
    ),
  );
}

const REPO = {
  'source-groups.yaml': `
adopus:
  pattern: db-per-tenant
  type: mssql
  envs: [nonprod, prod]
  servers:
    default: { host: '\${MSSQL_HOST}', port: 1433, user: cdc, password: '\${MSSQL_PASSWORD}', encrypt: true }
  sources:
    avansas:
      schemas: [dbo]
      nonprod: { server: default, database: AdOpusTest, target_sink_env: prod }
    avprod:
      schemas: [dbo]
      prod: { server: default, database: AdOpusAVProd, customer_id: 2a6eafa9 }
`,
  'sink-groups.yaml': `
sink_asma:
  source_group: adopus
  pattern: db-shared
  type: postgres
  servers:
    default: { host: localhost, port: 5432, user: cdc, password: '\${PG_PASSWORD}', sslmode: verify-full, ca_file: ca.pem }
  sources:
    directory:
      schemas: [public]
      prod: { server: default, database: directory }
      local: { server: default, database: directory_local }
`,
  'services/_schemas/column-templates.yaml': `
templates:
  customer_id: { name: _customer_id, type: uuid, not_null: true, value: meta("customer_id") }
  deleted: { name: _deleted, type: boolean, default: false, description: Gone }
`,
  'services/adopus.yaml': `
adopus:
  source:
    validation_database: AdOpusTest
    validation_env: nonprod
    tables:
      dbo.Actor: { ignore_columns: [Døv], key_columns: [actno] }
      dbo.Order.Lines:
  sinks:
    sink_asma.directory:
      tables:
        adopus.Actor:
          from: dbo.Actor
          column_templates: [customer_id, { template: deleted, name: gone }]
          transforms: [{ bloblang_ref: 'file://a.blobl', expected_output_column: label }]
          delete_mode: soft
          renames: { old: new }
        public.lines:
          from: dbo.Order.Lines
          target_exists: true
          columns: { LineNo: line_no }
`,
};
