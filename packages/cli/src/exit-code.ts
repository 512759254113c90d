/** Meaning of the exit codes. */
export const EXIT = {
  done: 0,
  differences: 1,
  usage: 2,
  tenantsFailed: 3,
  locked: 4,
  unsafe: 5,
  edited: 6,
} as const;

/** A failure that the user can fix. It is printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    message: string,
    readonly exitCode: number = EXIT.usage,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
