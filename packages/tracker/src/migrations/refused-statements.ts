import type { ClientCommand } from '@cdc-migrations/sql-text';

/** Error: files without a transaction have several statements, which the target would put into one transaction. */
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

/** Error: files have commands of psql that PostgreSQL does not know. */
export class ClientCommandError extends Error {
  override readonly name = 'ClientCommandError';
  constructor(readonly problems: readonly (ClientCommand & { readonly path: string })[]) {
    super(problems.map(({ path, line, message }) => `${path}:${line}: ${message}`).join('\n'));
  }
}
