/** A request that a client made after its login. */
export interface ServedRequest {
  /** Number of the connection, from 1 on. */
  readonly connection: number;
  readonly kind: 'batch' | 'procedure';
  /** The SQL of a batch and of sp_executesql; else the procedure's name. */
  readonly text: string;
  readonly database: string;
  readonly loginName: string;
  /** Whether it does nothing but SET options, as drivers do after the login: no round trip of the program's own. */
  readonly isSetup: boolean;
}

const ONLY_SET = /^\s*(?:set\s+[^;]*?(?:;|\n|$)\s*)+$/i;

/** Whether a batch does nothing but SET options. */
export function isSetupBatch(text: string): boolean {
  return ONLY_SET.test(text) && !/\bset\s+@/i.test(text);
}
