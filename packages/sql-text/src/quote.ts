/**
 * Stands for the tenant's schema in SQL files: the content of a name or literal, the file writes the quotes
 * (`"{{SCHEMA}}"`, `'{{SCHEMA}}'`).
 */
export const SCHEMA_PLACEHOLDER = '{{SCHEMA}}';

/** Finds the placeholder of a text in whatever spelling: only the one above is replaced, and no file is applied with another. */
export function findPlaceholder(text: string): string | undefined {
  return /\{\{\s*schema\s*\}\}/iu.exec(text)?.[0];
}

/** Quotes a name as an identifier of PostgreSQL: `Say "hi"` gives `"Say ""hi"""`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes both parts of a name: `"schema"."name"`. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** Quotes a text as a literal of PostgreSQL, right under either setting of `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return quoted.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

/**
 * Gives a dollar-quote tag that ends the body and not before: `$merge$`, or `$merge_1$` where the body holds that, also
 * where its last characters and the tag behind them would be read as one (`…$merge` and `$merge$`).
 */
export function dollarTag(body: string, word: string): string {
  for (let n = 0; ; n++) {
    const tag = n === 0 ? `$${word}$` : `$${word}_${n}$`;
    if (`${body}${tag}`.indexOf(tag) === body.length) return tag;
  }
}
