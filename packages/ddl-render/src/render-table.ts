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
  buildFinal,
  columnEntry,
  createIndex,
  headerFacts,
  INDEX_COMMENT,
  partitioningEntry,
  partitionKey,
  sqlSchema,
  type ColumnStructure,
  type IndexStructure,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

interface TableView {
  readonly schema: string;
  readonly name: string;
  readonly table: string;
  readonly columns: readonly ColumnView[];
  readonly columnTag: string;
  readonly key: { readonly constraint: string; readonly columns: string } | null;
  /** The key as an SQL array of names, `NULL` if there is none. */
  readonly keyArray: string;
  /** Null for a table without declared partitions. */
  readonly partitions: { readonly by: string; readonly json: string; readonly tag: string } | null;
  readonly indexes: readonly IndexView[];
  readonly indexTag: string;
  /** Indexes that the configuration declares. */
  readonly declared: readonly DeclaredView[];
  readonly hasDeclared: boolean;
  readonly declaredTag: string;
  readonly comment: string;
}

interface ColumnView {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default: string | null;
  readonly json: string;
  /** True if a comma follows in CREATE TABLE. */
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

interface DeclaredView {
  readonly qualified: string;
  readonly create: string;
}

const render = loadTemplate<TableView>(new URL('../templates/table.sql.hbs', import.meta.url));

/**
 * Renders the file of a final table. The file creates the table, or converges one that an earlier version of the file
 * created.
 */
export function renderTable(table: ReplicatedTable, path: string): SqlFile {
  const schema = sqlSchema(table);
  const final = buildFinal(table);
  const primaryKey = final.indexes.find(({ primary }) => primary);
  const columns = final.columns.map((column, index) =>
    buildColumn(column, {
      last: index === final.columns.length - 1,
      keyFollows: primaryKey !== undefined,
    }),
  );
  const indexes = final.indexes
    .filter((index) => index !== primaryKey && !index.declared)
    .map((index) => buildIndex(index, schema));
  const declared = final.indexes
    .filter((index) => index.declared)
    .map((index) => ({
      qualified: quoteQualified(schema, index.name),
      create: createIndex(index, { schema, name: final.name }, { concurrently: false }),
    }));
  const body = render({
    schema,
    name: final.name,
    table: quoteQualified(schema, final.name),
    columns,
    columnTag: dollarTag(columns.map(({ json }) => json).join('\n'), 'columns'),
    key: primaryKey
      ? { constraint: primaryKey.name, columns: listNames(primaryKey.columns, quoteIdentifier) }
      : null,
    keyArray: primaryKey ? `ARRAY[${listNames(primaryKey.columns, quoteLiteral)}]` : 'NULL',
    partitions: buildPartitions(table),
    indexes,
    indexTag: dollarTag(
      indexes.map(({ qualified }) => `${qualified} ${final.name}`).join(' '),
      'index',
    ),
    declared,
    hasDeclared: declared.length > 0,
    declaredTag: dollarTag(declared.map(({ create }) => create).join(' '), 'declared'),
    comment: INDEX_COMMENT,
  });
  return buildSqlFile(path, headerFacts(table), body);
}

function buildPartitions({ partitionBy }: ReplicatedTable): TableView['partitions'] {
  if (!partitionBy) return null;
  const json = partitioningEntry(partitionBy);
  return { by: partitionKey(partitionBy), json, tag: dollarTag(json, 'partitions') };
}

function buildColumn(
  column: ColumnStructure,
  { last, keyFollows }: { readonly last: boolean; readonly keyFollows: boolean },
): ColumnView {
  return {
    name: column.name,
    type: column.type,
    notNull: !column.nullable,
    default: column.default,
    json: columnEntry(column),
    comma: !last || keyFollows,
    last,
  };
}

function buildIndex(
  { name, columns, unique, nullsNotDistinct }: IndexStructure,
  schema: string,
): IndexView {
  return {
    name,
    qualified: quoteQualified(schema, name),
    columns: listNames(columns, quoteIdentifier),
    unique,
    nullsNotDistinct,
  };
}

function listNames(names: readonly string[], quote: (name: string) => string): string {
  return names.map(quote).join(', ');
}
