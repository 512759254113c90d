export { findClientCommand } from './client-command.ts';
export type { ClientCommand } from './client-command.ts';
export { groupBy } from './group-by.ts';
export {
  dollarTag,
  findPlaceholder,
  namePattern,
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
  SCHEMA_PLACEHOLDER,
} from './quote.ts';
export { hashedName, MAX_NAME_BYTES, shortName } from './short-name.ts';
export { buildSqlFile } from './sql-file.ts';
export type { SqlFile } from './sql-file.ts';
export { sqlTokens } from './sql-tokens.ts';
export type { SqlToken } from './sql-tokens.ts';
export { loadTemplate } from './template.ts';
