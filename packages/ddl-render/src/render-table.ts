import {
  buildSqlFile,
  dollarTag,
  loadTemplate,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
  SCHEMA_PLACEHOLDER,
  type SqlFile,
} from '@cdc-migrations/sql-text';
import {
  POSITION_COLUMNS,
  schemaLabel,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

interface TableView {
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  readonly columns: readonly ColumnView[];
  readonly columnTag: string;
  readonly key: { readonly constraint: string; readonly columns: string } | null;
  /** The key as an SQL array of names, `NULL` for none. */
  readonly keyArray: string;
  readonly indexes: readonly IndexView[];
  readonly indexTag: string;
}

interface ColumnView {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly json: string;
  /** A comma stands behind it in CREATE TABLE. */
  readonly comma: boolean;
  readonly last: boolean;
}

interface IndexView {
  readonly name: string;
  readonly qualified: string;
  readonly columns: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
}

const render = loadTemplate<TableView>(new URL('../templates/table.sql.hbs', import.meta.url));

/**
 * The file of a final table: creates it, or brings one that an earlier version of the file created to the
 * definition.
 */
export function renderTable(table: ReplicatedTable, path: string): SqlFile {
  const schema = table.schema.scope === 'tenant' ? SCHEMA_PLACEHOLDER : table.schema.name;
  const columns = table.columns.map((column, index) =>
    buildColumn(column, {
      last: index === table.columns.length - 1,
      keyFollows: table.key !== null,
    }),
  );
  const key = table.key && {
    constraint: table.names.primaryKey,
    columns: table.key.columns.map(quoteIdentifier).join(', '),
  };
  const indexes = buildIndexes(table, schema);
  const body = render({
    schema,
    name: table.name,
    table: quoteQualified(schema, table.name),
    columns,
    columnTag: dollarTag(columns.map(({ json }) => json).join('\n'), 'columns'),
    key,
    keyArray: table.key ? `ARRAY[${table.key.columns.map(quoteLiteral).join(', ')}]` : 'NULL',
    indexes,
    indexTag: dollarTag(
      indexes.map(({ qualified }) => `${qualified} ${table.name}`).join(' '),
      'index',
    ),
  });
  const facts = {
    source: `${table.source.database}.${table.source.schema}.${table.source.table}`,
    target: `${table.set} ${schemaLabel(table)}.${table.name}`,
    transforms: table.transforms,
  };
  return buildSqlFile(path, facts, body);
}

function buildColumn(
  { name, type, nullable, default: initial, formerly }: ColumnDefinition,
  { last, keyFollows }: { readonly last: boolean; readonly keyFollows: boolean },
): ColumnView {
  const expression = initial ?? null;
  const entry = [name, type, !nullable, expression, ...(formerly ? [formerly] : [])];
  return {
    name,
    type,
    notNull: !nullable,
    default: expression,
    json: `[${entry.map((value) => JSON.stringify(value)).join(', ')}]`,
    comma: !last || keyFollows,
    last,
  };
}

function buildIndexes({ names, key }: ReplicatedTable, schema: string): readonly IndexView[] {
  const sync: IndexView = {
    name: names.syncIndex,
    qualified: quoteQualified(schema, names.syncIndex),
    columns: '"__sync_timestamp"',
    unique: false,
    nullsNotDistinct: false,
  };
  if (key) return [sync];
  const position: IndexView = {
    name: names.positionIndex,
    qualified: quoteQualified(schema, names.positionIndex),
    columns: POSITION_COLUMNS.map(quoteIdentifier).join(', '),
    unique: true,
    nullsNotDistinct: true,
  };
  return [sync, position];
}
