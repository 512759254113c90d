import type { ColumnTemplate } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import type { SourceKey } from './choose-key.ts';
import type { TableMapping } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { KeyDefinition } from './table-definition.ts';

/** Template for the column with the customer of a row. */
const CUSTOMER_TEMPLATE = 'customer_id';

/** Reports a table that receives rows of several customers without a column for the customer. */
export function checkCustomer(mapping: TableMapping, problems: ProblemList): void {
  const { catalog, table } = mapping;
  const isMixed = catalog.pattern === 'db-shared' || mixesDatabases(mapping);
  if (!isMixed || table.columnTemplates.some(({ template }) => template === CUSTOMER_TEMPLATE)) {
    return;
  }
  const message =
    `rows of several customers are stored in ${table.schema}.${table.table}: it needs the column template ` +
    `"${CUSTOMER_TEMPLATE}"`;
  problems.errors.push(problemAt(table.at, [], message));
}

/**
 * Builds the key of the final table with PostgreSQL names. The customer comes first if a table combines rows of several
 * databases, as each database has its own key values.
 */
export function withCustomer(
  { columns, origin }: SourceKey,
  mapping: TableMapping,
  templates: ReadonlyMap<string, ColumnTemplate>,
  nameOf: (source: string) => string,
): KeyDefinition {
  const names = columns.map(nameOf);
  const use = mapping.table.columnTemplates.find(({ template }) => template === CUSTOMER_TEMPLATE);
  const customer = use && (use.name ?? templates.get(CUSTOMER_TEMPLATE)?.name);
  if (customer === undefined || !mixesDatabases(mapping)) return { columns: names, origin };
  const first = shortName(customer);
  return { columns: [first, ...names.filter((name) => name !== first)], origin };
}

/** Checks if a table combines several databases: with db-per-tenant, a literal schema is shared by all tenants. */
function mixesDatabases({ catalog, table, service }: TableMapping): boolean {
  return catalog.pattern === 'db-per-tenant' && table.schema !== service.name;
}
