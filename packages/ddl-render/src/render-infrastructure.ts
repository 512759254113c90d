import { buildSqlFile, loadTemplate, quoteLiteral, type SqlFile } from '@cdc-migrations/sql-text';
import {
  CONSTANT_PATTERN,
  DELETED_AT,
  INDEX_COMMENT,
  METADATA_COLUMNS,
  spellings,
  TYPE_RULES,
  type MigrationSet,
  type Operation,
  type TypeRule,
} from '@cdc-migrations/table-defs';
import { CLAUSE_FORMATS } from './changes/clause-formats.ts';

/**
 * Version of the infrastructure. Increment it with each change that older files would revert, such as another routine,
 * other arguments or another column. Older files refuse a database with a newer version.
 */
export const INFRASTRUCTURE_VERSION = 11;

interface InfrastructureView {
  readonly role: string;
  readonly version: number;
  /** Names of the metadata columns as an SQL array. */
  readonly metadataColumns: string;
  readonly operations: readonly OperationView[];
  /** Branches of a CASE over the types `a` and `b`. */
  readonly typeRules: readonly string[];
  /** Regular expression of default values that are constant. */
  readonly constantPattern: string;
  /** Formats of ALTER TABLE clauses. */
  readonly clauses: typeof CLAUSE_FORMATS;
  /** Comment on declared indexes. */
  readonly indexComment: string;
}

/** A function that checks if an operation is one of a group. */
interface OperationView {
  readonly comment: string;
  readonly name: string;
  /** Names of the operations as SQL literals. */
  readonly lines: readonly string[];
}

/** Parts of the file in order. Later parts use earlier ones. */
const PARTS = [
  'version',
  'settings',
  'tables',
  'upgrade',
  'peek',
  'backfill',
  'column-change',
  'times',
  'event-forms',
  'operations',
  'converge',
  'partitions',
  'staging-trigger',
  'record-tally',
  'loss',
  'move-to-dead-letters',
  'lanes',
  'merge-range',
  'merge-table',
  'change-cursor',
  'merge-pieces',
  'tally-window',
  'reject-events',
  'merge-truncates',
  'moved-events',
  'merge-deletes',
  'fill-left-out',
  'merge-window',
  'runner',
  'clean-up',
  'retire',
  'rename',
  'dead-letters',
  'begin-reload',
  'end-reload',
  'refused-events',
  'converge-staging',
  'views',
  'grants',
].map((part) =>
  loadTemplate<InfrastructureView>(
    new URL(`../templates/infrastructure/${part}.sql.hbs`, import.meta.url),
  ),
);

/** Settings that make the file independent of the session that applies it. */
const PLAIN = `SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL default_table_access_method = heap;
`;

/**
 * Renders `cdc-management.sql` of a migration set: all bookkeeping of a target database with its functions, views and
 * grants.
 */
export function renderInfrastructure(set: MigrationSet, role: string): SqlFile {
  const names = [...METADATA_COLUMNS, DELETED_AT].map(({ name }) => quoteLiteral(name));
  const metadataColumns = `ARRAY[${names.join(', ')}]`;
  const operations = OPERATION_TESTS.map(buildOperationTest);
  const view = {
    ...{ role, metadataColumns, version: INFRASTRUCTURE_VERSION, operations },
    ...{ typeRules: TYPE_RULES.map(renderTypeRule), constantPattern: CONSTANT_PATTERN },
    ...{ clauses: CLAUSE_FORMATS, indexComment: INDEX_COMMENT },
  };
  const body = [PLAIN, ...PARTS.map((render) => render(view))].join('\n');
  return buildSqlFile(
    `${set.folder}/infrastructure/cdc-management.sql`,
    { target: set.name },
    body,
  );
}

/** Renders a branch of a CASE: `WHEN a = 'integer' AND b = 'bigint' THEN 'rewrite'`. */
function renderTypeRule({ from, to, when, change }: TypeRule): string {
  const isOne = (letter: string, types: readonly string[]) => {
    const names = types.map(quoteLiteral).join(', ');
    return types.length === 1 ? `${letter} = ${names}` : `${letter} IN (${names})`;
  };
  const conditions = [isOne('a', from), isOne('b', to), ...(when ? [when.sql] : [])];
  return `WHEN ${conditions.join(' AND ')} THEN ${quoteLiteral(change)}`;
}

/** Operation tests. PostgreSQL inlines these functions, because they have no SET clauses. */
const OPERATION_TESTS: readonly (readonly [string, string, ...Operation[]])[] = [
  ['is_delete', 'Returns true for an operation that deletes a row.', 'delete'],
  [
    'is_change',
    'Returns true for an operation that can be merged into a table with a key.',
    ...(['insert', 'update', 'upsert', 'snapshot', 'delete'] as const),
  ],
  [
    'is_append',
    'Returns true for an operation that adds a row to a table without a key.',
    'insert',
    'snapshot',
  ],
  ['is_read', 'Returns true for a row that a snapshot has read.', 'snapshot'],
  [
    'may_leave_out',
    'Returns true if events of an operation can omit large values that have not changed.',
    ...(['update', 'upsert', 'snapshot'] as const),
  ],
  [
    'is_before_image',
    'Returns true for a before image, which is the row as it was before an update.',
    'before image',
  ],
  ['is_truncate', 'Returns true for a TRUNCATE of the source table.', 'truncate'],
  ['is_message', 'Returns true for a logical decoding message, which has no row.', 'message'],
];

const LINE_LENGTH = 110;

function buildOperationTest([
  name,
  comment,
  ...of
]: (typeof OPERATION_TESTS)[number]): OperationView {
  const texts = spellings(...of).map(quoteLiteral);
  const lines = [''];
  texts.forEach((text, index) => {
    const item = index === texts.length - 1 ? text : `${text},`;
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = item;
    else if (line.length + item.length < LINE_LENGTH) lines[lines.length - 1] = `${line} ${item}`;
    else lines.push(item);
  });
  return { name, comment, lines };
}
