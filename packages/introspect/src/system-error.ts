/** An error with a code of Node or of a driver: `ECONNREFUSED`, `28P01`. */
export interface SystemError {
  readonly code: string;
  readonly message: string;
}

/** The innermost error with a code: drivers wrap what the system said. */
export function findSystemError(error: unknown): SystemError | undefined {
  let found: SystemError | undefined;
  for (const at of errorsIn(error)) {
    if (at.name === 'AbortError' || at.name === 'TimeoutError') {
      found = { code: 'ABORT_ERR', message: at.message };
    } else if (typeof at.code === 'string') found = { code: at.code, message: at.message };
  }
  return found;
}

/** What is read of an error; errors of Node are not always instances of this realm's Error. */
interface ErrorLike {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly number?: unknown;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

const MAX_DEPTH = 8;

/** An error, those that it gathers and those that caused it, from the outside in. */
export function errorsIn(error: unknown, depth = 0): readonly ErrorLike[] {
  if (!isErrorLike(error) || depth > MAX_DEPTH) return [];
  const gathered = (error.errors ?? []).flatMap((one) => errorsIn(one, depth + 1));
  return [error, ...gathered, ...errorsIn(error.cause, depth + 1)];
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null && 'message' in value && 'name' in value;
}
