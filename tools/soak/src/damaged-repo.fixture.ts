/** Texts by path of an implementation repo with every kind of hand-written file, and nearly every key. */
export const HAND_WRITTEN: Readonly<Record<string, string>> = {
  'source-groups.yaml': `crm:
  pattern: db-per-tenant
  type: mssql
  description: a system of customers
  environment_aware: true
  envs: [dev, prod]
  validation_env: dev
  database_ref: Crm
  include_pattern: '^Crm'
  database_exclude_patterns: ['_old$']
  schema_exclude_patterns: [audit]
  table_include_patterns: ['.*']
  table_exclude_patterns: ['^tmp_']
  servers:
    default: { host: '\${CRM_HOST}', port: 1433, user: cdc, password: '\${CRM_PASSWORD}', encrypt: true }
    far: { host: db.example, port: '\${CRM_PORT}', user: cdc, password: '\${CRM_PASSWORD}', ca_file: ca.pem }
  sources:
    avansas:
      schemas: [dbo]
      dev: { server: default, database: Crm, target_sink_env: nonprod, customer_id: 0a82-11 }
      prod: { server: far, database: CrmAvansas, customer_id: 0a82-12 }
    blue:
      schemas: [dbo]
      dev: { server: default, database: CrmBlue, customer_id: 0a82-13 }
`,
  'sink-groups.yaml': `sink_asma:
  source_group: crm
  pattern: db-shared
  type: postgres
  envs: [nonprod, prod]
  pipeline: { writer: bento, events: recommended, truncate: dead_letter }
  servers:
    default: { host: pg.example, port: 5432, user: cdc, password: '\${PG_PASSWORD}', sslmode: require }
  sources:
    directory:
      schemas: [public]
      nonprod: { server: default, database: directory_dev }
      prod: { server: default, database: directory }
`,
  'services/crm.yaml': `crm:
  source:
    validation_database: Crm
    validation_env: dev
    tables:
      dbo.Actor:
        ignore_columns: [Døv]
      dbo.Fraver: { include_columns: [FraverId, FraDato, Tekst] }
      dbo.Region: { key_columns: [Kode], lossy_key_columns: [Kode] }
  sinks:
    sink_asma.directory:
      tables:
        crm.Actor:
          from: dbo.Actor
          target_exists: false
          column_templates: [customer_id, { template: source_table, name: _table, value: x }]
          delete_mode: soft
          staging: logged
          renames: { Name: Navn }
          pipeline: { decimal_handling_mode: string }
        crm.Fraver:
          from: dbo.Fraver
          transforms: [{ bloblang_ref: ./fraver.blobl, expected_output_column: FraDato_text }]
          manual_migration_hints:
            renames: [{ from: Dato, to: FraDato }]
            type_changes: [{ column: FraDato, using: '"FraDato"::date' }]
            set_not_null: [{ column: FraDato, pre_sql: DELETE FROM x }]
        crm.Region: { from: dbo.Region, replicate_structure: true }
        public.customer_user: { from: dbo.Fraver, target_exists: true, columns: { FraverId: fraver_id } }
`,
  'services/_schemas/column-templates.yaml': `templates:
  customer_id: { name: _customer_id, type: uuid, not_null: true, description: the customer }
  source_table: { name: _source_table, type: text, default: "'x'", value: '\${TABLE}' }
`,
  'services/_schemas/_definitions/source-crm-type-overrides.yaml': `types: { datetime: timestamptz }
tables:
  dbo.Actor:
    types: { money: 'numeric(19, 4)' }
    columns: { Navn: varchar(100) }
`,
  'migrations/manual/0001-first.sql': `-- cdc: no-transaction
CREATE INDEX CONCURRENTLY "x" ON "{{SCHEMA}}"."Actor" ("Navn");
`,
  'package.json': `{ "name": "crm", "version": "1.0.0", "nx": { "name": "@asma/crm", "tags": [] } }
`,
  'pipeline.yaml': `input: { kafka_franz: { topics: [crm.dbo.Actor] } }
pipeline:
  processors:
    - mapping: 'root = this.payload.after'
output:
  sql_insert:
    driver: postgres
    table: '"blue"."stg_Actor"'
    columns: ['actno', '"Navn"', '__kafka_offset', '__kafka_partition', '__cdc_operation']
    args_mapping: 'root = [ this.actno, this.Navn, metadata("kafka_offset"), "0", "u" ]'
  sql_raw:
    query: 'INSERT INTO "blue"."stg_Fraver" ("FraverId", "Tekst") VALUES ($1, $2)'
    args_mapping: 'root = [ this.id, this.text ]'
`,
  'inserts.sql': `-- first
INSERT INTO "blue"."stg_Actor" ("actno", Navn) VALUES (1, 'it''s'), (2, NULL);
/* second */ INSERT INTO stg_Region VALUES ($1::text, $q$x$q$);
`,
  'positions.yaml': `dbo_Actor: "0x0000002A000001280003"
dbo_Fraver: "0x0000002A000001280004"
`,
};

/** Path and body of the snapshot. */
export const SNAPSHOT = {
  path: 'generated/schemas/Crm.dbo.yaml',
  body: `format: 1
database: "Crm"
schema: "dbo"
type: "mssql"
pattern: "db-per-tenant"
collation: "Danish_Norwegian_CI_AS"
tables:
  Actor:
    tracked: true
    columns:
      - {"name": "actno", "type": "int", "nullable": false, "identity": true}
      - {"name": "Navn", "type": "nvarchar", "length": 100, "nullable": true, "collation": "Latin1_General_BIN"}
      - {"name": "Døv", "type": "bit", "nullable": true, "default": "((0))"}
      - {"name": "Saldo", "type": "money", "nullable": false}
      - {"name": "Sum", "type": "decimal", "precision": 18, "scale": 2, "nullable": true, "computed": "[a]+[b]"}
      - {"name": "Rad", "type": "timestamp", "nullable": false}
      - {"name": "Nett", "type": "nvarchar", "length": 200, "declared_as": "dbo.Url", "declared_kind": "alias", "nullable": true}
    primary_key: {"name": "PK_Actor", "columns": ["actno"]}
    unique_indexes:
      - {"name": "UX_Navn", "columns": ["Navn"], "filter": "[Navn] IS NOT NULL"}
    foreign_keys:
      - {"name": "FK_Region", "columns": ["Navn"], "references": {"schema": "dbo", "table": "Region", "columns": ["Kode"]}}
  Fraver:
    columns:
      - {"name": "FraverId", "type": "int", "nullable": false}
      - {"name": "FraDato", "type": "datetime", "nullable": true}
      - {"name": "Tekst", "type": "nvarchar", "length": "max", "nullable": true}
    primary_key: {"name": "PK_Fraver", "columns": ["FraverId"]}
  Region:
    columns:
      - {"name": "Kode", "type": "char", "length": 4, "nullable": false}
`,
};
