/** Error: the target has no schema `cdc_management`, or an older one than needed. */
export class NoBookkeepingError extends Error {
  override readonly name = 'NoBookkeepingError';
  constructor() {
    super(
      'the bookkeeping does not exist; apply migrations/schemas and migrations/infrastructure first',
    );
  }
}
