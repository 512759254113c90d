import { quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { type SoakDatabase, TENANT } from './soak-target.ts';

/**
 * Counts the work of merges with triggers on the final tables, the tombstones and truncations. `soak_write` has a row
 * for each row that received the values of an event, and for each key or table with a noted delete or TRUNCATE. Work
 * that is rolled back is not counted.
 */
export async function watchWrites(
  { superuser }: SoakDatabase,
  tables: readonly ReplicatedTable[],
): Promise<void> {
  const triggers = tables.map(
    ({ name }) => `
      CREATE TRIGGER soak_write AFTER INSERT OR UPDATE ON ${quoteQualified(TENANT, name)}
      FOR EACH ROW EXECUTE FUNCTION public.note_write(${quoteLiteral(name)});`,
  );
  await superuser.unsafe(`${NOTES}\n${triggers.join('\n')}`).simple();
}

/** An update that keeps the position (a deletion mark, a late value) stores no event. */
const NOTES = `
CREATE TABLE public.soak_write (table_name text, stream text, kind text);
CREATE FUNCTION public.note_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF TG_OP = 'INSERT' OR (OLD."__stream_generation", OLD."__kafka_offset")
    IS DISTINCT FROM (NEW."__stream_generation", NEW."__kafka_offset") THEN
    INSERT INTO public.soak_write
    VALUES (TG_ARGV[0], NEW."__kafka_partition" || '/' || NEW."__stream_generation", 'merged');
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION public.note_tombstone() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.soak_write
  SELECT table_name, NEW.kafka_partition || '/' || NEW.stream_generation, 'deleted'
  FROM cdc_management.merge_control WHERE table_id = NEW.table_id;
  RETURN NULL;
END $$;
CREATE TRIGGER soak_write AFTER INSERT OR UPDATE ON cdc_management.tombstone
FOR EACH ROW EXECUTE FUNCTION public.note_tombstone();
CREATE TRIGGER soak_write AFTER INSERT OR UPDATE ON cdc_management.truncation
FOR EACH ROW EXECUTE FUNCTION public.note_tombstone();`;
