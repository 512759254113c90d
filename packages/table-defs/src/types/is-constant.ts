const STRING = `e?'([^'\\\\]|''|\\\\.)*'`;
const CAST = `(::[a-z][a-z ]*(\\([0-9, ]+\\))?(\\[\\])?)*`;
/** Regular expression, the same in JavaScript and PostgreSQL, of the expressions that `isConstant` accepts. */
export const CONSTANT_PATTERN = `^(${STRING}|[-+]?[0-9.]+|true|false|null|now\\(\\)|current_timestamp|current_date)${CAST}$`;
const CONSTANT = new RegExp(CONSTANT_PATTERN);

/**
 * Tests if a column that comes with this default leaves the rows of its table alone: a constant, or the time of the
 * transaction. `cdc_management.is_constant` is rendered of the same pattern.
 */
export function isConstant(expression: string): boolean {
  return CONSTANT.test(expression.trim().toLowerCase());
}
