import { quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { TENANT } from './merge-target.fixture.ts';

/** Schema of the tables and the bookkeeping of the naive merge. */
export const NAIVE = 'naive';

/**
 * Renders a naive merge: a staging table like the final one, a control row that each insert updates, batches by LIMIT,
 * an upsert of the newest timestamp, TRUNCATE at the end, all tables in one transaction.
 */
export function renderNaiveMerge(tables: readonly ReplicatedTable[], role: string): string {
  return [
    `CREATE SCHEMA ${NAIVE};
     GRANT USAGE ON SCHEMA ${NAIVE} TO ${quoteIdentifier(role)};
     CREATE TABLE naive.control (table_name text PRIMARY KEY, changed_at timestamptz);
     CREATE TABLE naive.log (table_name text, first_offset bigint, last_offset bigint, merged bigint, duration_ms numeric);
     CREATE FUNCTION naive.mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
     BEGIN
       UPDATE naive.control SET changed_at = clock_timestamp() WHERE table_name = TG_ARGV[0];
       RETURN NULL;
     END $$;`,
    ...tables.map((table) => renderTable(table, role)),
    RUNNERS,
  ].join('\n');
}

function renderTable({ name, names, columns, key }: ReplicatedTable, role: string): string {
  const final = quoteQualified(NAIVE, name);
  const staging = quoteQualified(NAIVE, names.staging);
  const list = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const keys = (key?.columns ?? []).map(quoteIdentifier).join(', ');
  const updates = columns.map((column) => {
    return `${quoteIdentifier(column.name)} = excluded.${quoteIdentifier(column.name)}`;
  });
  return `
CREATE TABLE ${final} (LIKE ${quoteQualified(TENANT, name)} INCLUDING ALL);
CREATE UNLOGGED TABLE ${staging} (LIKE ${final} INCLUDING DEFAULTS, "__kafka_timestamp" timestamptz);
INSERT INTO naive.control VALUES (${quoteLiteral(name)}, now());
CREATE TRIGGER mark AFTER INSERT ON ${staging} FOR EACH STATEMENT EXECUTE FUNCTION naive.mark(${quoteLiteral(name)});
CREATE PROCEDURE ${quoteQualified(NAIVE, names.mergeProcedure)}() LANGUAGE plpgsql AS $$
DECLARE
  v_started timestamptz := clock_timestamp();
BEGIN
  INSERT INTO naive.log SELECT ${quoteLiteral(name)}, min("__kafka_offset"), max("__kafka_offset"), 0 FROM ${staging};
  LOOP
    INSERT INTO ${final} (${list})
    SELECT DISTINCT ON (${keys}) ${list} FROM ${staging} ORDER BY ${keys}, "__source_ts_ms" DESC LIMIT 500
    ON CONFLICT (${keys}) DO UPDATE SET ${updates.join(', ')};
    DELETE FROM ${staging} WHERE ctid IN (SELECT ctid FROM ${staging} LIMIT 500);
    EXIT WHEN NOT FOUND;
  END LOOP;
  UPDATE naive.log SET duration_ms = EXTRACT(MILLISECONDS FROM clock_timestamp() - v_started);
  TRUNCATE ${staging};
END $$;
GRANT INSERT, SELECT ON ${staging} TO ${quoteIdentifier(role)};`;
}

/** Merges all tables in one transaction after a quiet period, and ignores errors. */
const RUNNERS = `
CREATE PROCEDURE naive.run() LANGUAGE plpgsql AS $$
DECLARE
  v_table text;
BEGIN
  IF (SELECT max(changed_at) > clock_timestamp() - interval '500 ms' FROM naive.control) THEN
    RETURN;
  END IF;
  UPDATE naive.control SET changed_at = NULL;
  FOR v_table IN SELECT table_name FROM naive.control ORDER BY table_name LOOP
    BEGIN
      EXECUTE 'CALL naive.sp_merge_' || lower(v_table) || '()';
    EXCEPTION WHEN OTHERS THEN
      NULL;
    END;
  END LOOP;
END $$;`;
