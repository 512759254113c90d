/** A fault, and the point in a connection where it occurs. */
export type Fault =
  /** Refuses the login: 18456 wrong password, 4060 no such database, 40613 not available, or any other number. */
  | { readonly kind: 'refuse-login'; readonly number: number; readonly message?: string }
  /** Answers a request with an error without running it: 1205, 40613, or any other number. */
  | { readonly kind: 'error'; readonly number: number; readonly message?: string }
  /** Resets the connection in the middle of the row after this many rows. */
  | { readonly kind: 'close'; readonly afterRows: number }
  /** Sends nothing more after this many rows. An attention signal is still answered unless `isDeaf`. */
  | { readonly kind: 'stall'; readonly afterRows: number; readonly isDeaf?: boolean }
  /** Accepts the connection but never answers PRELOGIN. */
  | { readonly kind: 'stall-login' }
  /** Does something before the request runs, such as dropping a table. */
  | { readonly kind: 'act'; readonly act: () => void };

/** Condition of a fault. Undefined fields match everything. */
export interface FaultRule {
  readonly fault: Fault;
  /** Number of the connection, counted from 1. */
  readonly connection?: number;
  /** The SQL text of the request, or the name of its procedure. */
  readonly sql?: RegExp;
  /** Number of occurrences. The default is unlimited. */
  readonly times?: number;
}

/** Faults of a kind. */
type FaultOf<K extends Fault['kind']> = Extract<Fault, { kind: K }>;

/** A point where a fault can occur: a connection, and a request if there is one. */
export interface FaultPlace {
  readonly connection: number;
  readonly sql?: string;
}

/** The requested faults and their remaining occurrences. */
export interface FaultBox {
  add(rule: FaultRule): void;
  /** Finds the first matching fault of a kind and counts it as used. */
  take<K extends Fault['kind']>(kind: K, place: FaultPlace): FaultOf<K> | undefined;
  clear(): void;
}

/** Creates an empty box. */
export function createFaultBox(): FaultBox {
  let entries: readonly { readonly rule: FaultRule; left: number }[] = [];
  return {
    add: (rule) => {
      entries = [...entries, { rule, left: rule.times ?? Infinity }];
    },
    take: <K extends Fault['kind']>(kind: K, place: FaultPlace): FaultOf<K> | undefined => {
      const found = entries.find(
        ({ rule, left }) => left > 0 && rule.fault.kind === kind && applies(rule, place),
      );
      if (found) found.left--;
      return found?.rule.fault as FaultOf<K> | undefined;
    },
    clear: () => {
      entries = [];
    },
  };
}

function applies({ connection, sql }: FaultRule, place: FaultPlace): boolean {
  const isConnection = connection === undefined || connection === place.connection;
  return isConnection && (sql === undefined || sql.test(place.sql ?? ''));
}
