/** A text as a literal of T-SQL: `N'Døv''s'`. */
export function quoteText(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}

/** A name of T-SQL: `[Order [1]]]`. */
export function quoteName(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}
