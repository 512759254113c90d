/** Something in a target that is not as the definitions say. */
export interface Difference {
  readonly kind: 'missing' | 'different' | 'extra';
  readonly schema: string;
  /** What it belongs to: a table, a view, a routine; empty for the schema itself. */
  readonly name: string;
  /** `column "Navn" is text, wanted character varying(50)`. */
  readonly message: string;
  /** Who created it, or is to: a file of the set, or a role; left out if that is not known. */
  readonly origin?: string;
  /** What repairs it; left out if the message says it, or if it is to be changed by hand or in the configuration. */
  readonly repair?: Repair;
}

/** What brings a target to the definitions. */
export type Repair =
  /** `apply --again` in the schema, in some cases behind a statement. */
  | { readonly kind: 'apply again'; readonly first?: string }
  | { readonly kind: 'sql'; readonly statement: string }
  | { readonly kind: 'command'; readonly command: 'retire'; readonly table: string };
