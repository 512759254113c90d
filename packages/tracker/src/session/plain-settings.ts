/**
 * Statement that resolves names and operators in PostgreSQL's own schema until the end of the transaction, or of the
 * message without one. Without it, a function in another schema with closer argument types would be called.
 */
export const PINNED = 'SET LOCAL search_path = pg_catalog, pg_temp;\n';

/** Statement that undoes `PINNED`, for text of users. */
export const UNPINNED = 'SET LOCAL search_path TO DEFAULT;\n';

/**
 * Statements that override settings of roles and databases until the end of the transaction, or of the message without
 * one. Such settings change the meaning of a text, the spelling of PostgreSQL's output, or JIT compilation of queries
 * that run once.
 */
export const PLAIN_SETTINGS = `${PINNED}SET LOCAL standard_conforming_strings = on;
SET LOCAL quote_all_identifiers = off;
SET LOCAL xmloption = content;
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = postgres;
SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = hex;
SET LOCAL extra_float_digits = 1;
SET LOCAL jit = off;
`;

/** Statements that undo `PLAIN_SETTINGS`, for text of users. */
export const NO_PLAIN_SETTINGS = PLAIN_SETTINGS.replaceAll(/ = .*;$/gm, ' TO DEFAULT;');
