import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { STATUS } from './random-table.ts';
import { type SoakDatabase, TENANT } from './soak-target.ts';

/** SQLSTATEs by which triggers of users refuse a row; `later` when the transaction ends. */
const REFUSED_STATUSES = [
  ...['raise KD001', 'raise 42501', 'raise P0001', 'raise ABCDE', 'raise 23514', 'assert'],
  ...['later KD002', 'later 42501', 'later P0001', 'later 23503'],
];

/** A value of the column `Status` that its type refuses, or a trigger. */
export function refusedStatus(number: number): string {
  const tooLong = 'x'.repeat(21);
  return number % 3 === 0 ? tooLong : REFUSED_STATUSES[number % REFUSED_STATUSES.length]!;
}

/** Puts triggers on the final tables that refuse such values, in the merge or when its transaction ends. */
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
