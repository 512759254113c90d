import { parseSnapshot } from '@cdc-migrations/catalog';
import { parseServiceConfig, type PipelineSettings } from '@cdc-migrations/config';
import {
  buildDefinitions,
  buildStagingColumns,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

/** Writer and form of events. */
export type Writing = Pick<PipelineSettings, 'writer' | 'events'>;

/** Builds the example table for pipeline settings. */
export function buildPayment({ writer, events }: Writing): ReplicatedTable {
  const settings = Object.entries({ writer, events }).flatMap(([key, value]) =>
    value === undefined ? [] : `${key}: ${value}`,
  );
  const sinks = `
sink:
  source_group: shop
  pattern: db-shared
  type: postgres
  pipeline: { ${settings.join(', ')} }
  servers: { default: { host: localhost, port: 5432, user: cdc, password: '\${PASSWORD}' } }
  sources: { shop: { schemas: [public], prod: { server: default, database: shop } } }
`;
  const service = `
shop:
  source: { validation_database: Shop, validation_env: prod, tables: { dbo.Payment: {} } }
  sinks: { sink.shop: { tables: { shop.Payment: { from: dbo.Payment } } } }
`;
  const snapshot = `
format: 1
database: Shop
schema: dbo
type: mssql
pattern: db-per-tenant
tables:
  Payment:
    columns:
      - { name: Id, type: int, nullable: false }
      - { name: Due, type: date, nullable: true }
      - { name: Paid, type: datetime, nullable: true }
      - { name: Amount, type: decimal, precision: 10, scale: 2, nullable: true }
      - { name: Receipt, type: varbinary, length: 50, nullable: true }
    primary_key: { name: PK_Payment, columns: [Id] }
`;
  const config = parseServiceConfig(
    new Map([
      ['sink-groups.yaml', sinks],
      ['services/shop.yaml', service],
      ['services/_schemas/column-templates.yaml', 'templates: {}\n'],
    ]),
  );
  const [table] = buildDefinitions(config, [parseSnapshot(snapshot, 'snapshot.yaml')]).tables;
  if (table?.kind !== 'replicated') throw new Error('the example has no table');
  return table;
}

/** Values of the example in its final table. */
export const PAYMENT = {
  Id: '1',
  Due: '2024-01-31',
  Paid: '2024-01-31 23:59:59.123',
  Amount: '12.34',
  Receipt: '\\xdeadbeef',
} as const;

/** The same values in each form, as SQL. */
const VALUES: Readonly<Record<keyof typeof PAYMENT, Readonly<Record<string, string>>>> = {
  Id: { '': '1' },
  Due: {
    '': "'2024-01-31'",
    'days(9999)': '19753',
    iso: "'2024-01-31Z'",
    rfc3339: "'2024-01-31T00:00:00Z'",
  },
  Paid: {
    '': "'2024-01-31 23:59:59.123'",
    milliseconds: '1706745599123',
    microseconds: '1706745599123000',
    iso: "'2024-01-31T23:59:59.123Z'",
    rfc3339: "'2024-01-31T23:59:59.123Z'",
  },
  Amount: { '': '12.34', decimal_text: "'12.34'", 'decimal_base64(2)': "'BNI='" },
  Receipt: { '': "'\\xdeadbeef'", base64: "'3q2+7w=='" },
};

const METADATA: Readonly<Record<string, string>> = {
  __kafka_offset: '42',
  __kafka_partition: '0',
  __source_ts_ms: '1706745600000',
  __cdc_operation: "'c'",
  __source_db: "'Shop'",
  __source_table: "'Payment'",
};

/** Renders the INSERT of an example event by a writer. */
export function renderPaymentInsert(writing: Writing, schema = 'shop'): string {
  const table = buildPayment(writing);
  const columns = buildStagingColumns(table).flatMap(({ name }) => {
    const value = METADATA[name] ?? valueOf(table.columns.find((column) => column.name === name));
    return value === undefined ? [] : [{ name: `"${name}"`, value }];
  });
  const lines = (part: 'name' | 'value') => columns.map((column) => column[part]).join(', ');
  return `INSERT INTO "${schema}"."stg_Payment" (\n  ${lines('name')}\n) VALUES (\n  ${lines('value')}\n);`;
}

function valueOf(column: ColumnDefinition | undefined): string | undefined {
  if (column?.role !== 'source') return undefined;
  const value = VALUES[column.name as keyof typeof PAYMENT][column.form ?? ''];
  if (value === undefined)
    throw new Error(`payment-insert.ts: what is ${column.name} as ${column.form}?`);
  return value;
}
