/** Quotes a text as a T-SQL literal: `N'Døv''s'`. */
export function quoteText(text: string): string {
  return `N'${text.replaceAll("'", "''")}'`;
}

/** Quotes a T-SQL name: `[Order [1]]]`. */
export function quoteName(name: string): string {
  return `[${name.replaceAll(']', ']]')}]`;
}

/**
 * Characters that let sqlcmd interpret a text, even in a literal: line ends, as in a line `GO` or one that begins with
 * `:`, and `$(NAME)`.
 */
const OBEYED = /([\p{Cc}\u2028\u2029])|(?<=\$)(?=\()/u;

/**
 * Renders a text as a T-SQL expression for a script, on one line and without sqlcmd variables. It is one literal, or
 * literals and character codes joined by `+`.
 *
 * @example
 * quoteForScript('a\n$(b)') // N'a' + NCHAR(10) + N'$' + N'(b)'
 */
export function quoteForScript(text: string): string {
  // Splitting by this expression keeps the separators as parts.
  const parts = text.split(OBEYED).filter((part) => part !== undefined && part !== '');
  const quoted = parts.map((part) =>
    OBEYED.test(part) ? `NCHAR(${part.charCodeAt(0)})` : quoteText(part),
  );
  return quoted.join(' + ') || quoteText('');
}

/** Renders a text as a comment in a script. */
export function commentForScript(text: string): string {
  return text.split(OBEYED).join(' ').replace(/\s+/g, ' ');
}
