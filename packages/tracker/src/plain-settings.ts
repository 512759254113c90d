/**
 * Statements that put aside settings of roles and databases which change what a text means, how PostgreSQL spells what it
 * has, or whether it compiles a query that is run once: to the end of the transaction, or of the message where that is all
 * there is.
 */
export const PLAIN_SETTINGS = `SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL standard_conforming_strings = on;
SET LOCAL quote_all_identifiers = off;
SET LOCAL xmloption = content;
SET LOCAL datestyle = 'ISO, MDY';
SET LOCAL intervalstyle = postgres;
SET LOCAL timezone = 'UTC';
SET LOCAL bytea_output = hex;
SET LOCAL extra_float_digits = 1;
SET LOCAL jit = off;
`;
