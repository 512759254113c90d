import { raise, type SqlServerError } from '../engine/sql-server-error.ts';
import { isReserved } from './reserved-words.ts';
import { tokenize, type Token } from './tokenize.ts';

/** A place in a batch that a parser reads from. */
export interface TokenCursor {
  peek(ahead?: number): Token;
  next(): Token;
  /** Whether the next tokens are these words or operators. */
  sees(...texts: readonly string[]): boolean;
  /** Takes the next tokens if they are these. */
  accept(...texts: readonly string[]): boolean;
  /** Takes the next tokens, which must be these; throws 102 or 156 otherwise. */
  expect(...texts: readonly string[]): void;
  /** An identifier: quoted, or a word that is not reserved. */
  identifier(): string;
  seesIdentifier(ahead?: number): boolean;
  /** The error "Incorrect syntax near" the next token. */
  syntaxError(): SqlServerError;
  /** Runs `parse`; where it fails goes back and gives undefined. */
  attempt<T>(parse: () => T | undefined): T | undefined;
}

/** A cursor at the start of a batch. Throws what {@link tokenize} throws. */
export function createTokenCursor(batch: string): TokenCursor {
  const tokens = tokenize(batch);
  const end = tokens[tokens.length - 1] as Token;
  let position = 0;
  let deepestError: { readonly position: number; readonly error: SqlServerError } | undefined;
  const peek = (ahead = 0): Token => tokens[position + ahead] ?? end;
  const is = (token: Token, text: string): boolean =>
    (token.kind === 'word' || token.kind === 'operator') &&
    token.text.toUpperCase() === text.toUpperCase();
  const sees = (...texts: readonly string[]): boolean =>
    texts.every((text, i) => is(peek(i), text));
  const next = (): Token => {
    const token = peek();
    position++;
    return token;
  };
  const accept = (...texts: readonly string[]): boolean => {
    const isThere = sees(...texts);
    if (isThere) position += texts.length;
    return isThere;
  };
  const syntaxError = (): SqlServerError => {
    if (deepestError && deepestError.position > position) return deepestError.error;
    const token = peek().kind === 'end' ? (tokens[position - 1] ?? end) : peek();
    const number = token.kind === 'word' && isReserved(token.text) ? 156 : 102;
    return raise(number, [token.value], { line: token.line });
  };
  const seesIdentifier = (ahead = 0): boolean => {
    const token = peek(ahead);
    return token.kind === 'quoted' || (token.kind === 'word' && !isReserved(token.text));
  };
  return {
    peek,
    next,
    sees,
    accept,
    syntaxError,
    seesIdentifier,
    expect: (...texts) => {
      for (const text of texts) if (!accept(text)) throw syntaxError();
    },
    identifier: () => {
      if (!seesIdentifier()) throw syntaxError();
      return next().value;
    },
    attempt: (parse) => {
      const start = position;
      try {
        const parsed = parse();
        if (parsed !== undefined) return parsed;
      } catch {
        const error = syntaxError();
        if (!deepestError || position > deepestError.position) deepestError = { position, error };
      }
      position = start;
      return undefined;
    },
  };
}
