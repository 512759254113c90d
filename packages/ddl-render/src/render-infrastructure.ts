import { buildSqlFile, loadTemplate, type SqlFile } from '@cdc-migrations/sql-text';
import type { MigrationSet } from '@cdc-migrations/table-defs';

interface InfrastructureView {
  readonly role: string;
}

/** Parts of the file, in order: later ones use earlier ones. */
const PARTS = ['tables', 'converge', 'merge', 'runner', 'dead-letters', 'views', 'grants'].map(
  (part) =>
    loadTemplate<InfrastructureView>(
      new URL(`../templates/infrastructure/${part}.sql.hbs`, import.meta.url),
    ),
);

/** `cdc-management.sql` of a migration set: all bookkeeping of a target database, its functions, views and grants. */
export function renderInfrastructure(set: MigrationSet, role: string): SqlFile {
  const body = [
    'SET LOCAL client_min_messages = warning;\n',
    ...PARTS.map((render) => render({ role })),
  ].join('\n');
  return buildSqlFile(
    `${set.folder}/infrastructure/cdc-management.sql`,
    { target: set.name },
    body,
  );
}
