import {
  buildGeneratedFile,
  safeFileName,
  type GeneratedFile,
} from '@cdc-migrations/generated-file';
import {
  flag,
  foundWord,
  integer,
  oneOf,
  parseGenerated,
  renderGenerated,
  text,
  type Draft,
  type EntriesOf,
  type GeneratedKind,
  type Keys,
  type Report,
} from '@cdc-migrations/shape';
import * as v from 'valibot';
import type {
  Catalog,
  CatalogColumn,
  CatalogForeignKey,
  CatalogKey,
  CatalogTable,
  CatalogUniqueIndex,
} from './catalog.ts';
import { compareNames } from './compare-names.ts';

/** Returns the path of a snapshot in an implementation repo: `generated/schemas/AdOpusTest.dbo.yaml`. */
export function snapshotPath({ database, schema }: Pick<Catalog, 'database' | 'schema'>): string {
  return `generated/schemas/${safeFileName(database, schema)}.yaml`;
}

/**
 * Renders the snapshot file of a catalog. Tables are sorted by name. Each column, key and index is one line, so a diff
 * shows a changed column as one changed line. Properties without a value are omitted.
 *
 * @example
 * // tables:
 * //   Actor:
 * //     columns:
 * //       - {"name": "actno", "type": "int", "nullable": false, "identity": true}
 * //       - {"name": "Navn", "type": "nvarchar", "length": 100, "nullable": true}
 * //     primary_key: {"name": "PK_Actor", "columns": ["actno"]}
 */
export function renderSnapshot(catalog: Catalog): GeneratedFile {
  const tables = Object.fromEntries(
    catalog.tables.map(({ name, uniqueIndexes, foreignKeys, ...table }) => [
      name,
      {
        ...table,
        ...(uniqueIndexes.length > 0 && { uniqueIndexes }),
        ...(foreignKeys.length > 0 && { foreignKeys }),
      },
    ]),
  );
  const source = `${catalog.type} ${catalog.database}.${catalog.schema}`;
  const body = renderGenerated(SNAPSHOT, { ...catalog, tables }, BLOCK_DEPTH);
  return buildGeneratedFile(snapshotPath(catalog), { source }, body);
}

/** Nesting levels with one key per line: the head, and each table. */
const BLOCK_DEPTH = 2;

/**
 * Parses the text of a snapshot into a catalog with tables sorted by name. Accepts this content in any YAML syntax, and
 * ignores the checksum.
 *
 * @param path path of the file, for errors.
 * @throws FileError with every problem.
 */
export function parseSnapshot(text: string, path: string): Catalog {
  const { tables, ...head } = parseGenerated(SNAPSHOT, text, path);
  const named = Object.entries(tables).map(([name, { uniqueIndexes, foreignKeys, ...table }]) => ({
    name,
    ...table,
    uniqueIndexes: uniqueIndexes?.toSorted(compareNames) ?? [],
    foreignKeys: foreignKeys?.toSorted(compareNames) ?? [],
  }));
  return { ...head, tables: named.sort(compareNames) };
}

/** A table under its name, without empty lists. */
type SnapshotTable = Omit<CatalogTable, 'name' | 'uniqueIndexes' | 'foreignKeys'> &
  Partial<Pick<CatalogTable, 'uniqueIndexes' | 'foreignKeys'>>;

interface Snapshot extends Omit<Catalog, 'tables'> {
  readonly tables: Readonly<Record<string, SnapshotTable>>;
}

const columnSchema = v.strictObject({
  name: text('the name of a column'),
  type: text('a type without facets, such as nvarchar'),
  length: v.exactOptional(
    v.custom<number | 'max'>(
      (value) => value === 'max' || (Number.isSafeInteger(value) && Number(value) > 0),
      ({ input }) => `expected a whole number of at least 1, or max, found ${foundWord(input)}`,
    ),
  ),
  precision: v.exactOptional(integer()),
  scale: v.exactOptional(integer()),
  array: v.exactOptional(integer()),
  declaredAs: v.exactOptional(text('the name of a type, such as dbo.Url')),
  declaredKind: v.exactOptional(oneOf(['alias', 'domain', 'enum', 'clr'])),
  nullable: flag(),
  identity: v.exactOptional(flag()),
  computed: v.exactOptional(text('an expression')),
  default: v.exactOptional(v.string('expected an expression')),
  collation: v.exactOptional(text('the name of a collation')),
} satisfies EntriesOf<CatalogColumn>);

const columnNames = v.array(text('the name of a column'), 'expected a list of column names');

const KEY = {
  name: text('the name of a key'),
  columns: columnNames,
} satisfies EntriesOf<CatalogKey>;

const tableSchema = v.strictObject({
  tracked: v.exactOptional(flag()),
  columns: v.array(columnSchema, 'expected a list of columns'),
  primaryKey: v.exactOptional(v.strictObject(KEY)),
  uniqueIndexes: v.exactOptional(
    v.array(
      v.strictObject({
        ...KEY,
        filter: v.exactOptional(text('a predicate')),
      } satisfies EntriesOf<CatalogUniqueIndex>),
      'expected a list of unique indexes',
    ),
  ),
  foreignKeys: v.exactOptional(
    v.array(
      v.strictObject({
        ...KEY,
        references: v.strictObject({
          schema: text('the name of a schema'),
          table: text('the name of a table'),
          columns: columnNames,
        }),
      } satisfies EntriesOf<CatalogForeignKey>),
      'expected a list of foreign keys',
    ),
  ),
} satisfies EntriesOf<SnapshotTable>);

const snapshotSchema = v.strictObject({
  database: text('the name of a database'),
  schema: text('the name of a schema'),
  type: oneOf(['mssql', 'postgres']),
  pattern: oneOf(['db-per-tenant', 'db-shared']),
  collation: v.exactOptional(text('the name of a collation')),
  fingerprint: v.exactOptional(text('a text that the source gave')),
  tables: v.record(v.string(), tableSchema, 'expected a mapping of tables by name'),
} satisfies EntriesOf<Snapshot>);

const SNAPSHOT: GeneratedKind<Snapshot> = {
  what: 'a snapshot',
  schema: snapshotSchema,
  command: 'cdc manage-migrations schema-docs',
  isHandWritten: true,
  check: ({ tables = {} }, report) => {
    for (const [name, table] of Object.entries(tables)) {
      if (table) checkTable(table, ['tables', name], report);
    }
  },
};

/** Reports keys and indexes with unknown columns, and foreign keys with a different number of columns on both sides. */
function checkTable(table: Draft<SnapshotTable>, keys: Keys, report: Report): void {
  if (!table.columns) return;
  const names = new Set<string | undefined>();
  table.columns.forEach((column, index) => {
    if (column?.name !== undefined && names.has(column.name)) {
      report([...keys, 'columns', index], 'expected each column once, found a duplicate');
    }
    names.add(column?.name);
  });
  const checkColumns = (columns: Draft<readonly string[]> | undefined, at: Keys): void => {
    if (columns?.length === 0) report(at, 'expected a list of column names, found an empty list');
    for (const name of columns ?? []) {
      if (names.has(undefined) || names.has(name)) continue;
      report(at, `expected a column of the table, found "${name}"`);
    }
  };
  checkColumns(table.primaryKey?.columns, [...keys, 'primary_key', 'columns']);
  table.uniqueIndexes?.forEach((index, at) =>
    checkColumns(index?.columns, [...keys, 'unique_indexes', at, 'columns']),
  );
  table.foreignKeys?.forEach((key, at) => {
    checkColumns(key?.columns, [...keys, 'foreign_keys', at, 'columns']);
    const [own, others] = [key?.columns?.length, key?.references?.columns?.length];
    if (own !== undefined && others !== undefined && own !== others) {
      const message = `expected as many columns as it refers to (${others}), found ${own}`;
      report([...keys, 'foreign_keys', at, 'columns'], message);
    }
  });
}
