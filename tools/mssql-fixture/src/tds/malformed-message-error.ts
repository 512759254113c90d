/** Thrown for bytes that are not TDS. The connection is closed, as in SQL Server. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';

  constructor(reason: string) {
    super(`malformed TDS message: ${reason}`);
  }
}
