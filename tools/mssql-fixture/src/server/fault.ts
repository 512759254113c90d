/** A way to misbehave, and where in a connection's life it shows. */
export type Fault =
  /** The TCP connection is reset as soon as it is there. */
  | { readonly kind: 'reset-connection' }
  /** The login is refused: 18456 wrong password, 4060 no such database, 40613 not available, or any other number. */
  | { readonly kind: 'refuse-login'; readonly number: number; readonly message?: string }
  /** A request is answered by an error instead of being run: 1205, 40613, or any other number. */
  | { readonly kind: 'error'; readonly number: number; readonly message?: string }
  /** The connection is reset in the middle of the row after so many rows; 0 where it is not said. */
  | { readonly kind: 'close'; readonly afterRows?: number }
  /**
   * Nothing more is sent after so many rows; without a number nothing at all. An attention is still answered unless
   * `isDeaf`.
   */
  | { readonly kind: 'stall'; readonly afterRows?: number; readonly isDeaf?: boolean }
  /** The connection is accepted, but PRELOGIN is never answered. */
  | { readonly kind: 'stall-login' }
  /** The answer comes late. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** Something happens before the request runs, such as a table that is dropped. */
  | { readonly kind: 'act'; readonly act: () => void };

/** When a fault shows. What is not said does not matter. */
export interface FaultRule {
  readonly fault: Fault;
  /** Number of the connection, from 1 on. */
  readonly connection?: number;
  /** The SQL text of the request, or the name of its procedure. */
  readonly sql?: RegExp | ((text: string) => boolean);
  /** How often; for ever unless said. */
  readonly times?: number;
}

/** Faults of a kind. */
type FaultOf<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

/** The faults that are asked for, and what is left of them. */
export interface FaultBox {
  /** Adds a rule; the function that it gives takes it away. */
  add(rule: FaultRule): () => void;
  /** The first fault of some kinds that applies now; it counts as used. */
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

/** An empty box. */
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
