import { createHash } from 'node:crypto';
import { notRun, raise } from '../engine/sql-server-error.ts';
import {
  BIGINT,
  DATETIME,
  familyOf,
  INT,
  nvarchar,
  NVARCHAR_MAX,
  type SqlType,
} from '../tds/sql-type.ts';
import { renderIsoTime } from '../tds/iso-time.ts';
import { compileAggregate } from './aggregate.ts';
import { castTo, commonType } from './compare.ts';
import { convertValue, storedBytes } from './convert-value.ts';
import { addToDate, datePart, differenceOfDates } from './date-functions.ts';
import { strict, type FunctionRule } from './function-rule.ts';
import { constant, type Scope, type Typed } from './scope.ts';
import { SERVER_FUNCTIONS } from './server-functions.ts';
import { checkRead, partsOf, type Expression, type FunctionNode } from './syntax.ts';

const firstType = ([first]: readonly Typed[]): SqlType => first?.type ?? NVARCHAR_MAX;
const text = (of: (value: string) => string): FunctionRule =>
  strict([1, 1], firstType, ([value]) => of(String(value)));
const now = (type: SqlType, suffix = ''): FunctionRule => ({
  arity: [0, 0],
  compile: (_args, { host }) => constant(renderIsoTime(host.clock()) + suffix, type),
});
const DATETIME2: SqlType = { name: 'datetime2', scale: 7 };

/** Returns the result type for a time argument, which can be text. */
const timeType = (args: readonly Typed[]): SqlType => {
  const type = args[2]?.type ?? DATETIME;
  return familyOf(type) === 'time' ? type : DATETIME;
};
const difference = (type: SqlType): FunctionRule =>
  strict([3, 3], type, ([part, from, to]) =>
    differenceOfDates(String(part), String(from), String(to)),
  );

const FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  ...SERVER_FUNCTIONS,
  ISNULL: {
    arity: [2, 2],
    compile: ([value, other]) => {
      if (!value || !other) throw raise(174, ['isnull', 2]);
      const type = value.isNull ? other.type : value.type;
      const [first, second] = [castTo(value, type), castTo(other, type)];
      return { type, value: (env) => first.value(env) ?? second.value(env) };
    },
  },
  COALESCE: {
    arity: [2, 250],
    compile: (args) => {
      const type = commonType(args);
      const values = args.map((arg) => castTo(arg, type).value);
      return {
        type,
        value: (env) => {
          for (const value of values) {
            const found = value(env);
            if (found !== null) return found;
          }
          return null;
        },
      };
    },
  },
  CONCAT: {
    arity: [2, 250],
    compile: (args) => {
      const values = args.map((arg) => (arg.isNull ? arg : castTo(arg, NVARCHAR_MAX)));
      const type = args.some(({ type: { length } }) => length === -1)
        ? NVARCHAR_MAX
        : nvarchar(4000);
      return { type, value: (env) => values.map(({ value }) => value(env) ?? '').join('') };
    },
  },
  LEN: strict([1, 1], INT, ([value]) => String(value).replace(/ +$/, '').length),
  DATALENGTH: strict(
    [1, 1],
    ([arg]) => (arg?.type.length === -1 ? BIGINT : INT),
    ([value = ''], [arg]) => storedBytes(value, arg?.type ?? NVARCHAR_MAX).length,
  ),
  UPPER: text((value) => value.toUpperCase()),
  LOWER: text((value) => value.toLowerCase()),
  REPLICATE: strict([2, 2], firstType, ([value, count]) =>
    String(value).repeat(Math.max(0, Number(count))),
  ),
  QUOTENAME: strict([1, 1], nvarchar(258), ([name]) => `[${String(name).replaceAll(']', ']]')}]`),
  NCHAR: strict([1, 1], nvarchar(1), ([code]) => String.fromCharCode(Number(code))),
  HASHBYTES: strict(
    [2, 2],
    { name: 'varbinary', length: 8000 },
    ([algorithm, value = ''], [, arg]) => {
      const name = String(algorithm).toLowerCase().replace('sha2_', 'sha').replace(/^sha$/, 'sha1');
      return createHash(name)
        .update(storedBytes(value, arg?.type ?? NVARCHAR_MAX))
        .digest();
    },
  ),
  GETDATE: now(DATETIME),
  GETUTCDATE: now(DATETIME),
  CURRENT_TIMESTAMP: now(DATETIME),
  SYSDATETIME: now(DATETIME2),
  SYSUTCDATETIME: now(DATETIME2),
  SYSDATETIMEOFFSET: now({ name: 'datetimeoffset', scale: 7 }, '+00:00'),
  DATEADD: strict([3, 3], timeType, ([part, count, time = ''], [, , arg]) => {
    const from = arg?.type ?? DATETIME;
    const added = addToDate(String(part), Number(count), String(time));
    return familyOf(from) === 'time'
      ? convertValue(added, { from: DATETIME2, to: from, style: 0 })
      : added;
  }),
  DATEDIFF: difference(INT),
  DATEDIFF_BIG: difference(BIGINT),
  DATEPART: strict([2, 2], INT, ([part, time]) => datePart(String(part), String(time))),
};

/** Compiles a function call. Throws 174, 195 and 4121. */
export function compileFunction(node: FunctionNode, scope: Scope): Typed {
  checkRead(node, ['name', 'args', 'over', 'within_group']);
  const parts = partsOf(node.name);
  const name = parts.join('.').toUpperCase();
  const aggregate = compileAggregate(node, scope);
  if (aggregate) return aggregate;
  const list = node.args === 'None' ? [] : node.args.List.args.map(({ Unnamed }) => Unnamed);
  const expressions = list.map((arg) => {
    if (arg === 'Wildcard') throw raise(102, ['*']);
    return arg.Expr;
  });
  const rule = FUNCTIONS[name];
  if (!rule)
    throw parts.length > 1 ? raise(4121, [parts[0] ?? '', parts.join('.')]) : raise(195, [name]);
  const [least, most] = rule.arity;
  if (list.length < least || list.length > most) throw raise(174, [name.toLowerCase(), least]);
  const args = expressions.map((expression, i) =>
    /^DATE(ADD|DIFF|DIFF_BIG|PART)$/.test(name) && i === 0
      ? datePartName(expression)
      : scope.compile.expression(expression, scope),
  );
  return rule.compile(args, scope.frame);
}

/** Compiles the first argument of DATEADD and similar functions, which is a word. */
function datePartName(expression: Expression): Typed {
  if (!('Identifier' in expression)) throw notRun('such a part of a date');
  return constant(expression.Identifier.value, nvarchar(20));
}
