import type { CatalogColumn } from '@cdc-migrations/catalog';
import type { ServiceConfig } from '@cdc-migrations/config';
import { SCHEMA_PLACEHOLDER, shortName } from '@cdc-migrations/sql-text';
import { buildColumns } from './build-columns.ts';
import { overrideScope } from './check-type-overrides.ts';
import { chooseKey } from './choose-key.ts';
import { checkCustomer, withCustomer } from './customer-key.ts';
import type { Place } from './find-source.ts';
import { buildObjectNames } from './object-names.ts';
import type { ProblemList } from './problems.ts';
import { checkWidth } from './check-width.ts';
import { checkKeyTypes, keyTypeFault } from './check-key-types.ts';
import { checkNames, refusePlaceholder } from './check-column-names.ts';
import { selectColumns } from './select-columns.ts';
import type { ColumnDefinition, KeyDefinition, ReplicatedTable } from './table-definition.ts';
import { buildIdentity } from './build-identity.ts';
import { formatSourceType, mapType } from './types/map-type.ts';

/** Definition of a table that we create and that the change feed writes. */
export function buildReplicatedTable(
  place: Place,
  config: ServiceConfig,
  problems: ProblemList,
): ReplicatedTable {
  const { catalog, source, selection, table } = place;
  checkNames(place, problems);
  checkCustomer(place, problems);
  const selected = selectColumns(source, selection, problems);
  const scope = overrideScope(place, config);
  const faultOf = (column: CatalogColumn): string | undefined => {
    const mapped = mapType(catalog.type, column, scope);
    const type = formatSourceType(column);
    return mapped && keyTypeFault({ ...mapped, source: { name: column.name, type } }, selection);
  };
  const sourceKey = chooseKey({ table: source, columns: selected, selection, faultOf, problems });
  const columns = buildColumns(
    {
      type: catalog.type,
      columns: selected,
      key: sourceKey?.columns ?? [],
      selection,
      sink: table,
      templates: config.templates,
      scope,
    },
    problems,
  );
  const key = sourceKey && withCustomer(sourceKey, place, config.templates);
  if (key) checkKeyTypes(key, columns, place, problems);
  const identity = buildIdentity(place);
  checkDefaults(columns, identity, place, problems);
  const definition: ReplicatedTable = {
    kind: 'replicated',
    ...identity,
    names: buildObjectNames(shortName(table.table)),
    columns: key ? columns.map((column) => asKeyColumn(column, key)) : columns,
    key,
    deleteMode: table.deleteMode,
    staging: table.staging,
    transforms: table.transforms.map(({ bloblangRef }) => bloblangRef),
  };
  checkWidth(definition, place, problems);
  return definition;
}

/** A default of a tenant's table may say the tenant's schema. */
function checkDefaults(
  columns: readonly ColumnDefinition[],
  { schema }: Pick<ReplicatedTable, 'schema'>,
  { table }: Place,
  problems: ProblemList,
): void {
  for (const { default: expression = '' } of columns) {
    const isTenant = schema.scope === 'tenant';
    const rest = isTenant ? expression.replaceAll(SCHEMA_PLACEHOLDER, '') : expression;
    refusePlaceholder(rest, table.at, problems);
  }
}

function asKeyColumn(column: ColumnDefinition, key: KeyDefinition): ColumnDefinition {
  return key.columns.includes(column.name) && column.nullable
    ? { ...column, nullable: false }
    : column;
}
