import type { Expression } from '../tsql/ast.ts';

const AGGREGATES = new Set([
  'AVG',
  'CHECKSUM_AGG',
  'COUNT',
  'COUNT_BIG',
  'MAX',
  'MIN',
  'STRING_AGG',
  'SUM',
]);

/** Whether a function is an aggregate. */
export function isAggregate(name: string): boolean {
  return AGGREGATES.has(name.toUpperCase());
}

/** Whether an expression aggregates the rows of its query, those of its subqueries not counted. */
export function hasAggregate(expression: Expression): boolean {
  switch (expression.kind) {
    case 'call':
      if (expression.over) return false;
      return isAggregate(expression.parts.at(-1) ?? '') || expression.args.some(hasAggregate);
    case 'binary':
      return hasAggregate(expression.left) || hasAggregate(expression.right);
    case 'unary':
    case 'collate':
    case 'cast':
      return hasAggregate(expression.operand);
    case 'case':
      return [...expression.branches.map(({ then }) => then), expression.otherwise].some(
        (value) => value !== undefined && hasAggregate(value),
      );
    default:
      return false;
  }
}
