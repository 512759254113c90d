/** A client sent bytes that are not TDS; the connection is closed, as SQL Server does. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';

  constructor(reason: string) {
    super(`malformed TDS message: ${reason}`);
  }
}
