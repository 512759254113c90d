/** A fault, and the point in a connection where it occurs. */
export type Fault =
  /** Resets the TCP connection immediately. */
  | { readonly kind: 'reset-connection' }
  /** Refuses the login: 18456 wrong password, 4060 no such database, 40613 not available, or any other number. */
  | { readonly kind: 'refuse-login'; readonly number: number; readonly message?: string }
  /** Answers a request with an error without running it: 1205, 40613, or any other number. */
  | { readonly kind: 'error'; readonly number: number; readonly message?: string }
  /** Resets the connection in the middle of the row after this many rows. The default is 0. */
  | { readonly kind: 'close'; readonly afterRows?: number }
  /**
   * Sends nothing more after this many rows, or nothing at all without a number. An attention signal is still answered
   * unless `isDeaf`.
   */
  | { readonly kind: 'stall'; readonly afterRows?: number; readonly isDeaf?: boolean }
  /** Accepts the connection but never answers PRELOGIN. */
  | { readonly kind: 'stall-login' }
  /** Delays the answer. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Does something before the request runs, such as dropping a table. */
  | { readonly kind: 'act'; readonly act: () => void };

/** Condition of a fault. Undefined fields match everything. */
export interface FaultRule {
  readonly fault: Fault;
  /** Number of the connection, counted from 1. */
  readonly connection?: number;
  /** The SQL text of the request, or the name of its procedure. */
  readonly sql?: RegExp | ((text: string) => boolean);
  /** Number of occurrences. The default is unlimited. */
  readonly times?: number;
}

/** Faults of a kind. */
type FaultOf<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

/** The requested faults and their remaining occurrences. */
export interface FaultBox {
  /** Adds a rule. The returned function removes it. */
  add(rule: FaultRule): () => void;
  /** Finds the first matching fault of some kinds and counts it as used. */
  take<K extends Fault['kind']>(
    kinds: readonly K[],
    place: { readonly connection: number; readonly sql?: string },
  ): FaultOf<K> | undefined;
  clear(): void;
}

interface Entry {
  readonly rule: FaultRule;
  left: number;
}

/** Creates an empty box. */
export function createFaultBox(): FaultBox {
  let entries: readonly Entry[] = [];
  return {
    add: (rule) => {
      const entry: Entry = { rule, left: rule.times ?? Infinity };
      entries = [...entries, entry];
      return () => {
        entries = entries.filter((other) => other !== entry);
      };
    },
    take: <K extends Fault['kind']>(
      kinds: readonly K[],
      place: { readonly connection: number; readonly sql?: string },
    ): FaultOf<K> | undefined => {
      const found = entries.find(
        ({ rule, left }) =>
          left > 0 &&
          (kinds as readonly string[]).includes(rule.fault.kind) &&
          applies(rule, place),
      );
      if (found) found.left--;
      return found?.rule.fault as FaultOf<K> | undefined;
    },
    clear: () => {
      entries = [];
    },
  };
}

function applies(
  { connection, sql }: FaultRule,
  place: { readonly connection: number; readonly sql?: string },
): boolean {
  if (connection !== undefined && connection !== place.connection) return false;
  if (sql === undefined) return true;
  if (place.sql === undefined) return false;
  return typeof sql === 'function' ? sql(place.sql) : sql.test(place.sql);
}
