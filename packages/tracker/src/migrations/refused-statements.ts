import type { ClientCommand } from '@cdc-migrations/sql-text';

/** Files that ask for no transaction and have several statements, which the target would put into one by itself. */
export class SeveralStatementsError extends Error {
  override readonly name = 'SeveralStatementsError';
  constructor(readonly paths: readonly string[]) {
    super(
      paths
        .map(
          (path) =>
            `${path}: only one statement can run outside of a transaction (-- cdc: no-transaction); put each into a file of its own`,
        )
        .join('\n'),
    );
  }
}

/** Files that hold what psql does, and PostgreSQL does not. */
export class ClientCommandError extends Error {
  override readonly name = 'ClientCommandError';
  constructor(readonly problems: readonly (ClientCommand & { readonly path: string })[]) {
    super(problems.map(({ path, line, message }) => `${path}:${line}: ${message}`).join('\n'));
  }
}
