import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDefinition, type ColumnDefinition } from '@cdc-migrations/table-defs';
import { code, markdownTable } from './markdown-table.ts';

const REPO = 'fixtures/adopus';
const SNAPSHOT = 'generated/schemas/AdOpusTest.dbo.yaml';

/**
 * Renders one table of fixtures/adopus, one row per column with its text in the snapshot, the definition and the SQL.
 */
export function renderExample(root: string, table: string): string {
  const read = (file: string) => readFileSync(join(root, REPO, file), 'utf8');
  const file = `generated/table-definitions/${table}.yaml`;
  const definition = parseDefinition(read(file), file);
  if (definition.kind !== 'replicated') throw new Error(`${table} is not replicated`);
  const snapshot = snapshotLines(read(SNAPSHOT), table);
  const final = sqlLines(read(`migrations/tables/${table}.sql`));
  const staging = stagingLines(read(`migrations/staging/${table}-staging.sql`));
  const own = definition.columns.filter(({ role }) => role !== 'metadata');
  const rows = own.map((column) => [
    codeOf(snapshot.get(column.name)),
    describe(column),
    codeOf(final.get(column.name)),
    codeOf(staging.get(column.name)),
  ]);
  const metadata = definition.columns.length - own.length;
  return markdownTable(
    ['snapshot', 'table definition', `final table "${table}"`, `staging table "stg_${table}"`],
    [
      ...rows,
      [
        '',
        `${metadata} metadata columns`,
        '`"__sync_timestamp" …`',
        'the same columns, and `"__kafka_timestamp"`',
      ],
    ],
  );
}

function describe({ role, type, nullable, exactness }: ColumnDefinition): string {
  return `${exactness ?? role}: ${code(type)}${nullable ? '' : ', not null'}`;
}

/** Finds the lines of a table's columns in a snapshot, by column name. */
function snapshotLines(text: string, table: string): ReadonlyMap<string, string> {
  const [, ofTable = ''] = text.split(new RegExp(`^  ${table}:\\n`, 'm'));
  const lines = ofTable.slice(0, ofTable.search(/^ {0,2}\S/m)).match(/(?<=^ {6}- ).*/gm) ?? [];
  return new Map(lines.map((line) => [(JSON.parse(line) as { name: string }).name, line]));
}

/** Finds the lines of the columns in the first CREATE TABLE, by column name. */
function sqlLines(text: string): ReadonlyMap<string, string> {
  const [, body = ''] = /^CREATE [^]*? \(\n([^]*?)^\);/m.exec(text) ?? [];
  return columnLines(body);
}

/** Finds the lines of a staging table's columns, by column name. */
function stagingLines(text: string): ReadonlyMap<string, string> {
  return columnLines(text.split('$columns$')[1] ?? '');
}

function columnLines(body: string): ReadonlyMap<string, string> {
  const lines = body.split('\n').map((line) => line.trim().replace(/,$/, ''));
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const name = /^"((?:[^"]|"")+)"/.exec(line)?.[1];
      return name === undefined ? [] : [[name, line]];
    }),
  );
}

function codeOf(line: string | undefined): string {
  return line === undefined ? '' : code(line);
}
