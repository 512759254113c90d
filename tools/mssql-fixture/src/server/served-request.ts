/** A request that a client made after its login. */
export interface ServedRequest {
  /** Number of the connection, counted from 1. */
  readonly connection: number;
  readonly kind: 'batch' | 'procedure';
  /** The SQL of a batch or of sp_executesql, else the procedure's name. */
  readonly text: string;
  readonly database: string;
  readonly loginName: string;
  /**
   * True if the request only sets options, as drivers do after the login. It is no round trip of the program itself.
   */
  readonly isSetup: boolean;
}

const ONLY_SET = /^\s*(?:set\s+[^;]*?(?:;|\n|$)\s*)+$/i;

/** Checks if a batch only sets options. */
export function isSetupBatch(text: string): boolean {
  return ONLY_SET.test(text) && !/\bset\s+@/i.test(text);
}
