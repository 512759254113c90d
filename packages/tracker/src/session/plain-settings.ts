/**
 * Statement that binds names and operators in PostgreSQL's own schema, to the end of the transaction, or of the message
 * where that is all there is. Without it, a function in another schema whose types fit better would be called.
 */
export const PINNED = 'SET LOCAL search_path = pg_catalog, pg_temp;\n';

/** Statement that takes back `PINNED`, for text of users. */
export const UNPINNED = 'SET LOCAL search_path TO DEFAULT;\n';

/**
 * Statements that put aside settings of roles and databases which change what a text means, how PostgreSQL spells what it
 * has, or whether it compiles a query that is run once: to the end of the transaction, or of the message where that is all
 * there is.
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

/** Statements that take back `PLAIN_SETTINGS`, for text of users. */
export const NO_PLAIN_SETTINGS = PLAIN_SETTINGS.replaceAll(/ = .*;$/gm, ' TO DEFAULT;');
