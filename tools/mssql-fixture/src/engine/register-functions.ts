import type { Database } from 'sql.js';
import { SCALAR_FUNCTIONS } from './scalar-functions.ts';

/** What a function threw last: SQLite passes only its text on. */
export interface Failure {
  take(): unknown;
}

type SqliteValue = number | string | Uint8Array | null;

interface WithAggregates {
  create_aggregate(
    name: string,
    functions: {
      readonly init: () => number | null;
      readonly step: (state: number | null, value: SqliteValue) => number | null;
      readonly finalize: (state: number | null) => number | null;
    },
  ): void;
}

/** Gives a SQLite database the functions of {@link SCALAR_FUNCTIONS} and `checksum_agg`. */
export function registerFunctions(database: Database): Failure {
  let thrown: unknown;
  for (const [name, implementation] of Object.entries(SCALAR_FUNCTIONS)) {
    // SQLite counts the parameters of the function that it is given.
    const guarded = withLength(implementation.length, (...args) => {
      try {
        return implementation(...args);
      } catch (error) {
        thrown = error;
        throw error;
      }
    });
    database.create_function(name, guarded);
  }
  const aggregates = database as unknown as WithAggregates;
  aggregates.create_aggregate('checksum_agg', {
    init: () => null,
    step: (state, value) => (value === null ? state : (state ?? 0) ^ Number(value)),
    finalize: (state) => state,
  });
  return {
    take: () => {
      const last = thrown;
      thrown = undefined;
      return last;
    },
  };
}

type SqliteFunction = (...args: SqliteValue[]) => SqliteValue;

function withLength(length: number, implementation: SqliteFunction): SqliteFunction {
  return Object.defineProperty(implementation, 'length', { value: length });
}
