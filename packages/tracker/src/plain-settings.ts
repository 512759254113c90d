/**
 * Statements that put aside settings of roles and databases which change how PostgreSQL spells what it has, or have it
 * compile a query that is run once: to the end of the transaction, or of the message where that is all there is.
 */
export const PLAIN_SETTINGS = `SET LOCAL quote_all_identifiers = off;
SET LOCAL xmloption = content;
SET LOCAL jit = off;
`;
