import type { Frame } from '../batch/session.ts';
import type { SqlType, SqlValue } from '../tds/sql-type.ts';
import type { Typed } from './scope.ts';

/** A function with its number of arguments and its implementation. */
export interface FunctionRule {
  readonly arity: readonly [least: number, most: number];
  readonly compile: (args: readonly Typed[], frame: Frame) => Typed;
}

type Present = NonNullable<SqlValue>;

/** Builds a function that returns NULL if an argument is NULL. */
export function strict(
  arity: FunctionRule['arity'],
  type: SqlType | ((args: readonly Typed[]) => SqlType),
  of: (values: readonly Present[], args: readonly Typed[], frame: Frame) => SqlValue,
): FunctionRule {
  return {
    arity,
    compile: (args, frame) => ({
      type: typeof type === 'function' ? type(args) : type,
      value: (env) => {
        const values = args.map(({ value }) => value(env));
        return values.includes(null) ? null : of(values as Present[], args, frame);
      },
    }),
  };
}
