import {
  buildSqlFile,
  dollarTag,
  loadTemplate,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
  type SqlFile,
} from '@cdc-migrations/sql-text';
import {
  columnEntry,
  headerFacts,
  POSITION_COLUMNS,
  sqlSchema,
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
 * Renders the file of a final table, which creates it, or brings one that an earlier version of the file created to the
 * definition.
 */
export function renderTable(table: ReplicatedTable, path: string): SqlFile {
  const schema = sqlSchema(table);
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
  return buildSqlFile(path, headerFacts(table), body);
}

function buildColumn(
  column: ColumnDefinition,
  { last, keyFollows }: { readonly last: boolean; readonly keyFollows: boolean },
): ColumnView {
  return {
    name: column.name,
    type: column.type,
    notNull: !column.nullable,
    default: column.default ?? null,
    json: columnEntry(column),
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
