import { quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import { readIfThere } from '../session/read-if-there.ts';
import type { Session } from '../session/session.ts';
import {
  lockHolders,
  lockKey,
  lockName,
  watchBlockers,
  type LockBlocker,
} from '../session/take-lock.ts';
import { TargetError } from '../session/target-error.ts';

/** A column that became NOT NULL as at the source, because every row has a value. */
export interface TightenedColumn {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

/** A column that should become NOT NULL. Without a name, a table with the constraint of a killed apply. */
export interface LooseColumn {
  readonly schema: string;
  readonly table: string;
  readonly column: string | null;
}

/** Name of the temporary constraint while a column is tightened. */
const CONSTRAINT = 'cdc_tighten';
/** Statements for a short wait, because other sessions queue behind a waiting ALTER TABLE. The lock of the name shows the blockers. */
function briefly(name: string): string {
  return `SET LOCAL lock_timeout = '1s';\nSELECT pg_catalog.pg_try_advisory_xact_lock(${lockKey(name)});\n`;
}

const LOCK_NOT_AVAILABLE = '55P03';

/** What tightening needs beside a session. */
export interface TightenOptions {
  /** Holds the lock of the apply. */
  readonly control: Session;
  /** Name of the migration set. */
  readonly set: string;
  /** Reports a column that stays nullable because its table is locked. */
  readonly onLocked: (column: TightenedColumn, blockers: readonly LockBlocker[]) => void;
}

/** Reads columns to tighten, and constraints of a killed apply. Returns none if nothing was ever applied. */
export async function readLooseColumns(session: Session): Promise<readonly LooseColumn[]> {
  return (await readIfThere(() => session.read<LooseColumn>(LOOSE))) ?? [];
}

const LOOSE = `SELECT schema_name AS schema, table_name AS table, column_name AS column
FROM cdc_management.column_note WHERE state = 'to tighten'
UNION ALL
SELECT control.schema_name, control.table_name, NULL
FROM cdc_management.merge_control AS control
JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = control.schema_name
JOIN pg_catalog.pg_class AS relation
  ON relation.relnamespace = namespace.oid AND relation.relname = control.table_name
JOIN pg_catalog.pg_constraint AS made ON made.conrelid = relation.oid AND made.conname = '${CONSTRAINT}'
ORDER BY 1, 2, 3 NULLS FIRST`;

/**
 * Makes columns NOT NULL if every row has a value, without blocking reads and writes. It adds a NOT VALID check,
 * validates it, then sets NOT NULL, which needs no scan any more. A column with a NULL or a locked table waits for the
 * next apply.
 *
 * @throws TargetError if the connection is lost
 */
export async function tightenColumns(
  session: Session,
  columns: readonly LooseColumn[],
  { control, set, onLocked }: TightenOptions,
): Promise<readonly TightenedColumn[]> {
  const tightened: TightenedColumn[] = [];
  for (const { schema, table, column } of columns) {
    const name = lockName(set, schema);
    const watch = watchBlockers(control, lockHolders(name));
    try {
      if (column === null)
        await dropConstraint(session, {
          at: quoteQualified(schema, table),
          briefly: briefly(name),
        });
      else if (await tighten(session, { schema, table, column, briefly: briefly(name) })) {
        tightened.push({ schema, table, column });
      }
    } catch (error) {
      // The table is locked, not ours, or gone. The note of the column stays, with its statement.
      if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
      if (error.code === LOCK_NOT_AVAILABLE && column !== null)
        onLocked({ schema, table, column }, watch.take());
    } finally {
      watch.stop();
    }
  }
  return tightened;
}

async function tighten(
  session: Session,
  { schema, table, column, briefly }: TightenedColumn & { readonly briefly: string },
): Promise<boolean> {
  const [at, name] = [quoteQualified(schema, table), quoteIdentifier(column)];
  const [row] = await session.read<{ readonly has_null: boolean }>(
    `SELECT EXISTS (SELECT FROM ${at} WHERE ${name} IS NULL) AS has_null`,
  );
  if (row!.has_null) return false;
  await session.write(
    `${briefly}ALTER TABLE ${at} DROP CONSTRAINT IF EXISTS ${CONSTRAINT},
  ADD CONSTRAINT ${CONSTRAINT} CHECK (${name} IS NOT NULL) NOT VALID`,
  );
  try {
    await session.write(`${briefly}ALTER TABLE ${at} VALIDATE CONSTRAINT ${CONSTRAINT}`);
    await session.write(`${briefly}ALTER TABLE ${at} ALTER COLUMN ${name} SET NOT NULL;
ALTER TABLE ${at} DROP CONSTRAINT ${CONSTRAINT};
DELETE FROM cdc_management.column_note WHERE state = 'to tighten'
  AND schema_name = ${quoteLiteral(schema)} AND table_name = ${quoteLiteral(table)}
  AND column_name = ${quoteLiteral(column)}`);
  } catch (error) {
    // A NULL came in between, or the table is locked. The check must not block merges.
    if (!session.isLost) await dropConstraint(session, { at, briefly });
    throw error;
  }
  return true;
}

async function dropConstraint(
  session: Session,
  { at, briefly }: { readonly at: string; readonly briefly: string },
): Promise<void> {
  await session.write(`${briefly}ALTER TABLE ${at} DROP CONSTRAINT IF EXISTS ${CONSTRAINT}`);
}
