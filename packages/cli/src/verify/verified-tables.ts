import type { Catalog } from '@cdc-migrations/catalog';
import type { Config, SourceGroup } from '@cdc-migrations/config';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import { storedValue } from '@cdc-migrations/staging-render';
import { listSchemas } from '@cdc-migrations/tracker';
import type { ExistingTable, ReplicatedTable } from '@cdc-migrations/table-defs';
import { listFeeds, type Feed } from '../pipelines/plan-flows.ts';
import { customerColumnOf } from '../reload/reload.ts';
import { bracket } from '../source/mssql-values.ts';
import type { CommandTarget } from '../target/open-targets.ts';
import {
  compareColumn,
  type AnyColumn,
  type ComparedColumn,
  type SkippedColumn,
} from './compared-columns.ts';

/** A table of a tenant in source and target, with the comparison of its rows. */
export interface VerifiedTable {
  readonly schema: string;
  readonly name: string;
  /** By which it is selected. */
  readonly names: readonly string[];
  readonly source: { readonly schema: string; readonly table: string };
  readonly feed: Feed;
  readonly group: SourceGroup;
  readonly columns: readonly ComparedColumn[];
  readonly skipped: readonly SkippedColumn[];
  /** Columns of the key. Empty if rows can only be counted. */
  readonly key: readonly ComparedColumn[];
  /** Reason why rows cannot be compared at all. */
  readonly problem?: string;
  readonly target: {
    readonly table: string;
    readonly conditions: readonly string[];
    readonly textOf: (column: ComparedColumn) => string;
    readonly position?: readonly string[];
    /** Staging table and the text of a key column in it. */
    readonly staged?: {
      readonly table: string;
      readonly textOf: (column: ComparedColumn) => string;
    };
  };
  readonly sourceTable: string;
  readonly sourceConditions: readonly string[];
}

export interface TableSelection {
  readonly env: string;
  readonly schema?: readonly string[];
  readonly table?: readonly string[];
  readonly customer?: readonly string[];
}

interface Location {
  readonly config: Config;
  readonly group: SourceGroup;
  readonly feeds: readonly Feed[];
  readonly catalogs: readonly Catalog[];
}

/** Lists the tables of a target by their source databases, including those of `existing`. */
export function listVerified(
  target: Pick<CommandTarget, 'migrations' | 'tenants'>,
  config: Config,
  {
    existing,
    catalogs,
    ...selection
  }: TableSelection & {
    readonly existing: readonly ExistingTable[];
    readonly catalogs: readonly Catalog[];
  },
): readonly VerifiedTable[] {
  const { migrations, tenants } = target;
  const group = config.sourceGroups.find(({ name }) => name === migrations.set.sourceGroup)!;
  const files = [...migrations.files, ...migrations.validation];
  const schemas = new Set(listSchemas({ files }, { tenants, only: selection.schema }));
  const tables = [
    ...migrations.tables,
    ...existing.filter(({ set }) => set === migrations.set.name),
  ];
  return tables.flatMap((table) => {
    const feeds = listFeeds(group, selection.env, table.service);
    const location = { config, group, feeds, catalogs };
    return feeds
      .filter(
        ({ tenant }) =>
          isWanted(group, tenant, selection.customer) && isNamed(table, tenant, selection.table),
      )
      .map((feed) => buildVerified(table, feed, { ...location, customers: selection.customer }))
      .filter(({ schema }) => schemas.has(schema));
  });
}

/** By which a table is selected; the schema of a tenant has the name of the service in the configuration. */
function namesOfTable(
  { name, schema, service }: ReplicatedTable | ExistingTable,
  tenant: string,
): readonly string[] {
  const schemas = schema.scope === 'tenant' ? [service, tenant] : [schema.name];
  return [name, ...schemas.map((one) => `${one}.${name}`)];
}

/** Tests if a table of a tenant is among those that are named; all are where no names are given. */
export function isNamed(
  table: ReplicatedTable | ExistingTable,
  tenant: string,
  names: readonly string[] | undefined,
): boolean {
  return names === undefined || namesOfTable(table, tenant).some((name) => names.includes(name));
}

function isWanted(
  { pattern }: SourceGroup,
  tenant: string,
  customers: readonly string[] | undefined,
): boolean {
  return customers === undefined || pattern === 'db-shared' || customers.includes(tenant);
}

function buildVerified(
  table: ReplicatedTable | ExistingTable,
  feed: Feed,
  { customers, ...place }: Location & { readonly customers: readonly string[] | undefined },
): VerifiedTable {
  const { group, feeds } = place;
  const schema = table.schema.scope === 'tenant' ? feed.tenant : table.schema.name;
  const comparisons = table.columns.flatMap(
    (column: AnyColumn) => compareColumn(group.type, column) ?? [],
  );
  const columns = comparisons.filter((one): one is ComparedColumn => 'text' in one);
  const skipped = comparisons.filter((one): one is SkippedColumn => 'reason' in one);
  const customer = customerColumnOf(place.config, table);
  const isMixed = group.pattern === 'db-per-tenant' && table.schema.scope === 'literal';
  const names = keyNames(table, place).filter((name) => !(isMixed && name === customer));
  const key = names.flatMap((name) => columns.find((column) => column.name === name) ?? []);
  const shared = group.pattern === 'db-shared' ? customers : undefined;
  const own = isMixed && feeds.length > 1 ? [feed.customerId] : shared;
  const filter = own && customerFilter(table, { customer, ids: own, isMixed, group });
  return {
    ...{
      schema,
      name: table.name,
      names: namesOfTable(table, feed.tenant),
      source: table.source,
      feed,
      group,
    },
    ...{ columns, skipped },
    key: key.length === names.length ? key : [],
    ...(filter?.problem !== undefined && { problem: filter.problem }),
    target: {
      table: `${quoteIdentifier(schema)}.${quoteIdentifier(table.name)}`,
      conditions: [
        ...(filter?.target ?? []),
        ...(table.kind === 'replicated' && table.deleteMode === 'soft'
          ? ['"__deleted_at" IS NULL']
          : []),
        ...(hasSeveralDatabases(feed, feeds)
          ? [`"__source_db" = ${quoteLiteral(feed.database)}`]
          : []),
      ],
      ...targetTexts(table, schema),
    },
    sourceTable:
      group.type === 'mssql'
        ? `${bracket(table.source.schema)}.${bracket(table.source.table)}`
        : `${quoteIdentifier(table.source.schema)}.${quoteIdentifier(table.source.table)}`,
    sourceConditions: filter?.source ?? [],
  };
}

/** Returns true if several databases of a customer feed one schema. */
function hasSeveralDatabases({ tenant }: Feed, feeds: readonly Feed[]): boolean {
  return feeds.filter((one) => one.tenant === tenant).length > 1;
}

function targetTexts(
  table: ReplicatedTable | ExistingTable,
  schema: string,
): Pick<VerifiedTable['target'], 'textOf' | 'position' | 'staged'> {
  // An existing table can have another type than expected.
  if (table.kind === 'existing')
    return { textOf: ({ name, text, type }) => text(`${quoteIdentifier(name)}::${type}`) };
  return {
    textOf: ({ name, text }) => text(quoteIdentifier(name)),
    position: ['__stream_generation', '__kafka_partition', '__kafka_offset'],
    staged: {
      table: `${quoteIdentifier(schema)}.${quoteIdentifier(table.names.staging)}`,
      textOf: ({ name, text }) => {
        const column = table.columns.find((one) => one.name === name)!;
        return text(`(${storedValue(quoteIdentifier(name), column)})::${column.type}`);
      },
    },
  };
}

/** Returns the key names in the target. For an existing table it is the source's key, if all of it is mapped. */
function keyNames(
  table: ReplicatedTable | ExistingTable,
  { catalogs, config }: Location,
): readonly string[] {
  if (table.kind === 'replicated') return table.key?.columns ?? [];
  const service = config.services.find(({ name }) => name === table.service);
  const key = catalogs
    .find(
      ({ database, schema }) =>
        database === service?.validationDatabase && schema === table.source.schema,
    )
    ?.tables.find(
      ({ name }) => name.toLowerCase() === table.source.table.toLowerCase(),
    )?.primaryKey;
  const names = (key?.columns ?? []).map(
    (name) => table.columns.find(({ source }) => source?.name === name)?.name,
  );
  return names.includes(undefined) ? [] : (names as readonly string[]);
}

interface Filter {
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly problem?: string;
}

/** Builds a filter for the rows of some customers. */
function customerFilter(
  table: ReplicatedTable | ExistingTable,
  {
    customer,
    ids,
    isMixed,
    group,
  }: {
    readonly customer: string | undefined;
    readonly ids: readonly (string | undefined)[];
    readonly isMixed: boolean;
    readonly group: SourceGroup;
  },
): Filter {
  const none = (problem: string): Filter => ({ source: [], target: [], problem });
  if (customer === undefined)
    return none('it has rows of several customers and no column of the template customer_id');
  if (ids.includes(undefined))
    return none('the customer has no customer_id in source-groups.yaml, which identifies its rows');
  const list = ids.map((id) => quoteLiteral(id!)).join(', ');
  // Compared by its type: ids of one customer can be spelled in several ways.
  const target = [`${quoteIdentifier(customer)} IN (${list})`];
  if (isMixed) return { source: [], target };
  const column = table.columns.find(({ name }) => name === customer);
  const source = column && 'source' in column ? column.source : undefined;
  if (!source)
    return none(`its source has no column for "${customer}", so --customer selects nothing`);
  const name = group.type === 'mssql' ? bracket(source.name) : quoteIdentifier(source.name);
  return { source: [`${name} IN (${list})`], target };
}

/** Names of a selection. */
export function namesOf({ table, customer }: TableSelection): readonly string[] {
  return [...(table ?? []), ...(customer ?? [])];
}

/** Names of a selection that none of the tables has. */
export function listUnknown(
  tables: readonly VerifiedTable[],
  { table, customer }: TableSelection,
): readonly string[] {
  // A db-shared source has the customers that its rows name.
  const isShared = tables.some(({ group }) => group.pattern === 'db-shared');
  return [
    ...(table ?? []).filter((name) => !tables.some((one) => one.names.includes(name))),
    ...(customer ?? []).filter(
      (name) => !isShared && !tables.some(({ feed }) => feed.tenant === name),
    ),
  ];
}
