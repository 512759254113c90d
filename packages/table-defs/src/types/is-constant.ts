const STRING = `e?'([^'\\\\]|''|\\\\.)*'`;
const CAST = `(::[a-z][a-z ]*(\\([0-9, ]+\\))?(\\[\\])?)*`;
const CONSTANT = new RegExp(
  `^(${STRING}|[-+]?[0-9.]+|true|false|null|now\\(\\)|current_timestamp|current_date)${CAST}$`,
);

/**
 * Tests if a column that comes with this default leaves the rows of its table alone: a constant, or the time of the
 * transaction. `cdc_management.is_constant` decides the same in the target.
 */
export function isConstant(expression: string): boolean {
  return CONSTANT.test(expression.trim().toLowerCase());
}
