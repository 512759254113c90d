/** The target has no schema `cdc_management`, or one that is older than what is asked of it. */
export class NoBookkeepingError extends Error {
  override readonly name = 'NoBookkeepingError';
  constructor() {
    super(
      'the bookkeeping is not there; apply migrations/schemas and migrations/infrastructure first',
    );
  }
}
