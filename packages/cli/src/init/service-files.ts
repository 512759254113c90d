import { renderSnapshot, type CatalogTable } from '@cdc-migrations/catalog';
import type { GeneratedFile } from '@cdc-migrations/generated-file';
import { databaseOf, schemaOf } from './group-files.ts';
import { ENVIRONMENTS, SINK_DATABASE, type ScaffoldOptions } from './scaffold-options.ts';

/** Renders `services/<service>.yaml` of a new repo, with the table of the example snapshot. */
export function renderService(options: ScaffoldOptions): string {
  const { name, service } = options;
  const source = `${schemaOf(options)}.${exampleTable(options).name}`;
  return `# Which source tables become which tables of the sinks.
${service}:
  source:
    # The database whose structure is taken for all: its snapshot is in generated/schemas/.
    validation_database: ${databaseOf(options, ENVIRONMENTS[0])}
    validation_env: ${ENVIRONMENTS[0]}
    tables:
      ${source}: {}
  sinks:
    sink_${name}.${SINK_DATABASE}:
      tables:
        # In the schema that is called as the service, a table is made for each tenant.
        ${service}.${exampleTable(options).name}:
          from: ${source}
          column_templates: [customer_id]
`;
}

/** Renders `services/_schemas/column-templates.yaml` of a new repo. */
export function renderColumnTemplates({ pattern }: ScaffoldOptions): string {
  const ofSource = pattern === 'db-shared';
  return `# Columns that the source does not have${ofSource ? ', or has under the same name' : ''}; the sink pipeline fills them.
templates:
  customer_id:
    name: ${ofSource ? 'customer_id' : '_customer_id'}
    type: uuid
    not_null: true
    description: Customer that the row belongs to
    value: ${ofSource ? 'this.customer_id' : 'meta("customer_id")'}
`;
}

/** Renders an example snapshot, until a snapshot of the real database replaces it. */
export function renderExampleSnapshot(options: ScaffoldOptions): GeneratedFile {
  return renderSnapshot({
    database: databaseOf(options, ENVIRONMENTS[0]),
    schema: schemaOf(options),
    type: options.type,
    pattern: options.pattern,
    tables: [exampleTable(options)],
  });
}

function exampleTable({ type, pattern }: ScaffoldOptions): CatalogTable {
  const customer = { name: 'customer_id', type: 'uuid', nullable: false };
  const none = { uniqueIndexes: [], foreignKeys: [] };
  if (type === 'mssql') {
    return {
      ...none,
      name: 'Orders',
      columns: [
        { name: 'OrderId', type: 'int', nullable: false },
        ...(pattern === 'db-shared' ? [{ ...customer, type: 'uniqueidentifier' }] : []),
        { name: 'PlacedAt', type: 'datetime2', scale: 3, nullable: false },
        { name: 'Total', type: 'decimal', precision: 12, scale: 2, nullable: true },
        { name: 'Note', type: 'nvarchar', length: 200, nullable: true },
      ],
      primaryKey: { name: 'PK_Orders', columns: ['OrderId'] },
    };
  }
  return {
    ...none,
    name: 'orders',
    columns: [
      { name: 'order_id', type: 'bigint', nullable: false },
      ...(pattern === 'db-shared' ? [customer] : []),
      { name: 'placed_at', type: 'timestamp with time zone', nullable: false },
      { name: 'total', type: 'numeric', precision: 12, scale: 2, nullable: true },
      { name: 'note', type: 'text', nullable: true },
    ],
    primaryKey: { name: 'orders_pkey', columns: ['order_id'] },
  };
}
