/** One event of the change feed, as the sink writes it into a staging table. */
export interface ChangeEvent {
  readonly kind: 'upsert' | 'delete';
  readonly partition: number;
  readonly offset: number;
  /** By column of the staging table, in the text form of PostgreSQL. */
  readonly values: Readonly<Record<string, string | null>>;
}
