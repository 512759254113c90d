import { buildSqlFile, loadTemplate, quoteQualified, type SqlFile } from '@cdc-migrations/sql-text';
import {
  headerFacts,
  sqlSchema,
  type ExistingTable,
  type MappedColumn,
} from '@cdc-migrations/table-defs';

interface ValidationView {
  readonly schema: string;
  readonly name: string;
  readonly qualified: string;
  readonly mapsColumns: boolean;
  readonly columns: readonly {
    readonly position: string;
    readonly name: string;
    readonly type: string;
    readonly nullable: string;
    readonly origin: string;
    readonly last: boolean;
  }[];
}

const render = loadTemplate<ValidationView>(
  new URL('../templates/validation.sql.hbs', import.meta.url),
);

/**
 * Renders a read-only query on an existing table. It returns a row for each column that is missing or does not match.
 */
export function renderValidation(table: ExistingTable, path: string): SqlFile {
  const schema = sqlSchema(table);
  const columns = table.columns.map((column, index) => ({
    position: String(index + 1),
    name: column.name,
    type: column.type,
    nullable: String(column.nullable),
    origin: originOf(column),
    last: index === table.columns.length - 1,
  }));
  const body = render({
    schema,
    name: table.name,
    qualified: quoteQualified(schema, table.name),
    mapsColumns: columns.length > 0,
    columns,
  });
  return buildSqlFile(path, headerFacts(table), body);
}

/** Describes the origin of a column's values for users. */
function originOf({ role, source }: MappedColumn): string {
  return source ? `${source.name} ${source.type}` : `the ${role} column`;
}
