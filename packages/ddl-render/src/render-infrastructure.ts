import { buildSqlFile, loadTemplate, quoteLiteral, type SqlFile } from '@cdc-migrations/sql-text';
import { DELETED_AT, METADATA_COLUMNS, type MigrationSet } from '@cdc-migrations/table-defs';

interface InfrastructureView {
  readonly role: string;
  /** Names of the metadata columns as an SQL array. */
  readonly metadataColumns: string;
}

/** Parts of the file, in order: later ones use earlier ones. */
const PARTS = [
  'tables',
  'peek',
  'backfill',
  'column-change',
  'times',
  'event-forms',
  'converge',
  'staging-trigger',
  'record-tally',
  'loss',
  'bury-event',
  'lanes',
  'merge',
  'merge-window',
  'runner',
  'forget',
  'dead-letters',
  'converge-staging',
  'views',
  'grants',
].map((part) =>
  loadTemplate<InfrastructureView>(
    new URL(`../templates/infrastructure/${part}.sql.hbs`, import.meta.url),
  ),
);

/** What the settings of whoever applies the file do not change. */
const PLAIN = `SET LOCAL client_min_messages = warning;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL default_table_access_method = heap;
`;

/** `cdc-management.sql` of a migration set: all bookkeeping of a target database, its functions, views and grants. */
export function renderInfrastructure(set: MigrationSet, role: string): SqlFile {
  const names = [...METADATA_COLUMNS, DELETED_AT].map(({ name }) => quoteLiteral(name));
  const metadataColumns = `ARRAY[${names.join(', ')}]`;
  const body = [PLAIN, ...PARTS.map((render) => render({ role, metadataColumns }))].join('\n');
  return buildSqlFile(
    `${set.folder}/infrastructure/cdc-management.sql`,
    { target: set.name },
    body,
  );
}
