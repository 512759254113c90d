import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { STATUS } from './random-table.ts';
import { type SoakDatabase, TENANT } from './soak-target.ts';

/** Creates triggers on the final tables that refuse such values, immediately or at the end of the transaction. */
export async function addRefusals(
  { owner, superuser }: SoakDatabase,
  tables: readonly ReplicatedTable[],
): Promise<void> {
  await superuser.unsafe(FUNCTIONS).simple();
  for (const { name } of tables) {
    const table = quoteQualified(TENANT, name);
    await owner
      .unsafe(
        `CREATE TRIGGER soak_refuse BEFORE INSERT OR UPDATE ON ${table}
           FOR EACH ROW EXECUTE FUNCTION public.refuse_now();
         CREATE CONSTRAINT TRIGGER soak_refuse_later AFTER INSERT OR UPDATE ON ${table}
           DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.refuse_later();`,
      )
      .simple();
  }
}

const FUNCTIONS = `
CREATE FUNCTION public.refuse_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."${STATUS}" LIKE 'raise _____' THEN
    RAISE EXCEPTION 'refused by a trigger' USING ERRCODE = substr(NEW."${STATUS}", 7);
  END IF;
  ASSERT NEW."${STATUS}" <> 'assert', 'refused by an assertion';
  RETURN NEW;
END $$;
CREATE FUNCTION public.refuse_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."${STATUS}" LIKE 'later _____' THEN
    RAISE EXCEPTION 'refused in the end' USING ERRCODE = substr(NEW."${STATUS}", 7);
  END IF;
  RETURN NULL;
END $$;`;
