/** A text as a literal of T-SQL: `N'Døv''s'`. */
export function quoteText(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}

/** A name of T-SQL: `[Order [1]]]`. */
export function quoteName(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/** What sqlcmd obeys wherever it stands, in a literal too: a line `GO` or one that begins with `:`, and `$(NAME)`. */
const OBEYED = /([\p{Cc}\u2028\u2029])|(?<=\$)(?=\()/u;

/**
 * A text as an expression of T-SQL for a script, in one line and without variables of sqlcmd: a literal, or several and
 * codes of characters.
 *
 * @example
 * quoteForScript('a\n$(b)') // N'a' + NCHAR(10) + N'$' + N'(b)'
 */
export function quoteForScript(text: string): string {
  // Of what splits, the characters are parts too.
  const parts = text.split(OBEYED).filter((part) => part !== undefined && part !== '');
  const quoted = parts.map((part) =>
    OBEYED.test(part) ? `NCHAR(${part.charCodeAt(0)})` : quoteText(part),
  );
  return quoted.join(' + ') || quoteText('');
}

/** A text in a comment of a script. */
export function commentForScript(text: string): string {
  return text.split(OBEYED).join(' ').replace(/\s+/g, ' ');
}
