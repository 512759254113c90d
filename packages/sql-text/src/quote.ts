/**
 * Placeholder for the tenant's schema in SQL files. Files contain it in quotes: `"{{SCHEMA}}"` as a name,
 * `'{{SCHEMA}}'` as a literal.
 */
export const SCHEMA_PLACEHOLDER = '{{SCHEMA}}';

/**
 * Finds the placeholder in any spelling. Only the exact spelling of `SCHEMA_PLACEHOLDER` is replaced. Files with
 * another spelling are refused.
 */
export function findPlaceholder(text: string): string | undefined {
  return /\{\{\s*schema\s*\}\}/iu.exec(text)?.[0];
}

/** Quotes a name as a PostgreSQL identifier: `Say "hi"` gives `"Say ""hi"""`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes both parts of a name: `"schema"."name"`. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** Quotes a text as a PostgreSQL literal that is correct under both settings of `standard_conforming_strings`. */
export function quoteLiteral(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return quoted.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

/**
 * Returns a dollar-quote tag that does not occur in the body: `$merge$`, or `$merge_1$` if the body contains `$merge$`.
 * A tag is also avoided if the end of the body and the tag together would form it (`…$merge` and `$merge$`).
 */
export function dollarTag(body: string, word: string): string {
  for (let n = 0; ; n++) {
    const tag = n === 0 ? `$${word}$` : `$${word}_${n}$`;
    if (`${body}${tag}`.indexOf(tag) === body.length) return tag;
  }
}

/**
 * Returns the source of a regular expression that finds a name in SQL, but not as a part of another name. The
 * expression needs the flag `u`.
 */
export function namePattern(name: string): string {
  const escaped = name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return `(?<![\\p{L}\\p{N}_$])${escaped}(?![\\p{L}\\p{N}_$])`;
}
