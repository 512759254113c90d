/** A difference between a target and its definitions. */
export interface Difference {
  readonly kind: 'missing' | 'different' | 'extra';
  readonly schema: string;
  /** Owner object: a table, a view, a routine. Empty for the schema itself. */
  readonly name: string;
  /** `column "Navn" is text, expected character varying(50)`. */
  readonly message: string;
  /** Creator of the object: a file of the set, or a role. Absent if unknown. */
  readonly origin?: string;
  /** Repair. Absent if the message has it, or if the user must change something by hand or in the configuration. */
  readonly repair?: Repair;
}

/** A way to repair drift. */
export type Repair =
  /** Runs `apply --again` in the schema, in some cases after a statement. */
  | { readonly kind: 'apply again'; readonly first?: string }
  /** Runs `apply` in the schema, because its pending files contain the repair. */
  | { readonly kind: 'apply' }
  /** Runs a statement. `warning` names the values that it changes or loses, and is printed first. */
  | { readonly kind: 'sql'; readonly statement: string; readonly warning?: string }
  /** Describes a repair by hand, because values could be lost. */
  | { readonly kind: 'advice'; readonly advice: string }
  | { readonly kind: 'command'; readonly command: 'retire'; readonly table: string };
