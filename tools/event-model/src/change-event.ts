/** A change event as the sink inserts it into a staging table. */
export interface ChangeEvent {
  readonly kind: 'upsert' | 'delete';
  readonly partition: number;
  readonly offset: number;
  /** Values by column of the staging table, in PostgreSQL's text form. */
  readonly values: Readonly<Record<string, string | null>>;
}
