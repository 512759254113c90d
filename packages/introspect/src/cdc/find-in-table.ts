import type { CaptureColumn, CaptureState, CaptureTable } from './capture-state.ts';
import { ofTable, type Finding, type FindingCode } from './finding.ts';

const LARGE_TYPES = new Set(['text', 'ntext', 'image', 'xml']);
const NOT_CARRIED = new Set(['sql_variant', 'hierarchyid', 'geometry', 'geography']);
const SINGLE_BYTE_TEXT = new Set(['char', 'varchar', 'text']);

/** Finds reasons against capturing these columns of a table. */
export function findInTable(
  table: CaptureTable,
  columns: readonly CaptureColumn[],
  {
    state: { database, maxLargeObjectBytes },
    key,
  }: { readonly state: CaptureState; readonly key?: readonly string[] | undefined },
): readonly Finding[] {
  const label = `${table.schema}.${table.name}`;
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(ofTable(code, label, message));
  const named = (test: (column: CaptureColumn) => boolean) =>
    columns
      .filter(test)
      .map(({ name }) => name)
      .join(', ');
  if (table.isMemoryOptimized)
    add('memory-optimized', 'tables in memory cannot be captured; leave it out');
  if (table.isColumnstore) {
    add(
      'columnstore',
      'a table with a clustered columnstore index cannot be captured; leave it out or drop the index',
    );
  }
  if (!table.hasUniqueIndex) {
    add(
      'no-key',
      'neither primary key nor unique index: events have no key; ' +
        (key
          ? `give Debezium that of key_columns: message.key.columns: ${table.schema}.${table.name}:${key.join(',')}`
          : 'name one in key_columns, and the same in message.key.columns of Debezium'),
    );
  }
  const computed = named(({ isComputed }) => isComputed);
  if (computed)
    add('computed-column', `${computed}: computed, captured as NULL; put it into ignore_columns`);
  const notCarried = named(({ type }) => NOT_CARRIED.has(type));
  if (notCarried) add('type-not-carried', `${notCarried}: of a type that the connectors omit`);
  const foreign = named(
    ({ type, collation }) =>
      SINGLE_BYTE_TEXT.has(type) && collation !== undefined && collation !== database.collation,
  );
  if (foreign) {
    add(
      'collation',
      `${foreign}: another collation than the database's (${database.collation}), which can corrupt å, ø, æ; make it nvarchar, or --accept collation`,
    );
  }
  const large = named(({ type, maxLengthBytes }) => LARGE_TYPES.has(type) || maxLengthBytes === -1);
  if (large && maxLargeObjectBytes !== undefined) {
    add(
      'large-object',
      `${large}: once captured, writes of more than ${maxLargeObjectBytes} bytes fail in the application; EXEC sp_configure 'max text repl size', -1; RECONFIGURE; or --accept large-object`,
    );
  }
  return findings;
}
