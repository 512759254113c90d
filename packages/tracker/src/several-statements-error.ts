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
