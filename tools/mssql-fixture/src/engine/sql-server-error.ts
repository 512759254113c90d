import { MESSAGES, type MessageNumber } from './messages.ts';

/** An error of SQL Server on its way to the client. */
export class SqlServerError extends Error {
  override readonly name = 'SqlServerError';

  constructor(
    readonly number: number,
    message: string,
    readonly severity: number,
    readonly state = 1,
    readonly line = 1,
    readonly procedure = '',
  ) {
    super(message);
  }
}

/** Where in a batch an error comes from. */
export interface ErrorPlace {
  readonly line?: number;
  readonly state?: number;
  readonly procedure?: string;
}

/**
 * The error of a number with SQL Server's text and severity: each `%s` is replaced by the next of `values`.
 * `raise(208, ['dbo.Nothing'])` says "Invalid object name 'dbo.Nothing'."
 */
export function raise(
  number: MessageNumber,
  values: readonly (string | number)[] = [],
  place: ErrorPlace = {},
): SqlServerError {
  const { severity, text, state } = MESSAGES[number];
  let next = 0;
  const message = text.replace(/%s/g, () => String(values[next++] ?? ''));
  return new SqlServerError(
    number,
    message,
    severity,
    place.state ?? state ?? 1,
    place.line,
    place.procedure,
  );
}
