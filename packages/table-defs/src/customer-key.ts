import type { ColumnTemplate } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import type { SourceKey } from './choose-key.ts';
import type { Place } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { KeyDefinition } from './table-definition.ts';

/** Template whose column says which customer a row belongs to. */
const CUSTOMER_TEMPLATE = 'customer_id';

/** Refuses a table that takes rows of several customers and does not say which row is whose. */
export function checkCustomer(place: Place, problems: ProblemList): void {
  const { catalog, table } = place;
  const isMixed = catalog.pattern === 'db-shared' || mixesDatabases(place);
  if (!isMixed || table.columnTemplates.some(({ template }) => template === CUSTOMER_TEMPLATE)) {
    return;
  }
  const message =
    `rows of several customers meet in ${table.schema}.${table.table}: it needs the column template ` +
    `"${CUSTOMER_TEMPLATE}"`;
  problems.errors.push(problemAt(table.at, [], message));
}

/**
 * The key of the final table: names as in PostgreSQL, and the customer in front where rows of several databases,
 * each with keys of its own, meet in one table.
 */
export function withCustomer(
  { columns, origin }: SourceKey,
  place: Place,
  templates: ReadonlyMap<string, ColumnTemplate>,
  nameOf: (source: string) => string,
): KeyDefinition {
  const names = columns.map(nameOf);
  const use = place.table.columnTemplates.find(({ template }) => template === CUSTOMER_TEMPLATE);
  const customer = use && (use.name ?? templates.get(CUSTOMER_TEMPLATE)?.name);
  if (customer === undefined || !mixesDatabases(place)) return { columns: names, origin };
  const first = shortName(customer);
  return { columns: [first, ...names.filter((name) => name !== first)], origin };
}

/** Under db-per-tenant a literal schema is not the tenant's own. */
function mixesDatabases({ catalog, table, service }: Place): boolean {
  return catalog.pattern === 'db-per-tenant' && table.schema !== service.name;
}
