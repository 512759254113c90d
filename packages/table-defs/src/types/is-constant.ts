const STRING = `e?'([^'\\\\]|''|\\\\.)*'`;
const CAST = `(::[a-z][a-z ]*(\\([0-9, ]+\\))?(\\[\\])?)*`;
/** Regular expression for the expressions that `isConstant` accepts. It works in JavaScript and PostgreSQL. */
export const CONSTANT_PATTERN = `^(${STRING}|[-+]?[0-9.]+|true|false|null|now\\(\\)|current_timestamp|current_date)${CAST}$`;
const CONSTANT = new RegExp(CONSTANT_PATTERN);

/**
 * Checks if a default is a constant or the time of the transaction. A column with such a default can be added without
 * rewriting the table. `cdc_management.is_constant` is rendered from the same pattern.
 */
export function isConstant(expression: string): boolean {
  return CONSTANT.test(expression.trim().toLowerCase());
}
