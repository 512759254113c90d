/** Something in a target that is not as the definitions say. */
export interface Difference {
  readonly kind: 'missing' | 'different' | 'extra';
  readonly schema: string;
  /** What it belongs to: a table, a view, a routine; empty for the schema itself. */
  readonly name: string;
  /** `column "Navn" is text, wanted character varying(50)`. */
  readonly message: string;
}
