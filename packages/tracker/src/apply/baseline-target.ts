import { quoteLiteral } from '@cdc-migrations/sql-text';
import { checkTarget } from '../check/check-target.ts';
import type { Difference } from '../check/difference.ts';
import { fileState } from '../history/file-state.ts';
import { expandSchema } from './file-transaction.ts';
import { recordApplied, type FileInSchema } from '../history/history-sql.ts';
import { ForeignObjectsError, ofSchemas } from '../session/foreign-objects.ts';
import { createdObjectsExpression } from '../history/created-objects.ts';
import { belongsTo, type Migrations } from '../migrations/migrations.ts';
import { PLAIN_SETTINGS } from '../session/plain-settings.ts';
import { listSchemas, type PlanOptions } from './plan-apply.ts';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { readTarget, refuseStandby } from '../history/read-target.ts';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';
import { withLock } from '../session/take-lock.ts';

/** Files that a baseline recorded, and the reasons why others were not. */
export interface BaselineResult {
  readonly recorded: readonly PathInSchema[];
  readonly differences: readonly Difference[];
}

/** A file in a schema. */
export interface PathInSchema {
  readonly schema: string;
  /** Path relative to the folder of the set. */
  readonly path: string;
}

const LOCK_TIMEOUT_MS = 10_000;

/**
 * Records existing objects of a target as applied, for tables that were created without this program. A final table
 * must match its definition, and a staging file must create the same routines. Changes only the history.
 *
 * @throws ForeignObjectsError, NoBookkeepingError, StandbyError, LockNotObtainedError, TargetError
 */
export async function baselineTarget(
  address: TargetAddress,
  migrations: Migrations,
  options: PlanOptions,
): Promise<BaselineResult> {
  const [control, session] = ['lock', 'work'].map((name) =>
    openSession(address, `cdc baseline ${name}`),
  ) as [Session, Session];
  const lock = { timeoutMs: LOCK_TIMEOUT_MS, onWait: () => {} };
  try {
    return await withLock(control, migrations.set.name, lock, () =>
      recordWhatIsThere(session, migrations, options),
    );
  } finally {
    await Promise.all([control.close(), session.close()]);
  }
}

async function recordWhatIsThere(
  session: Session,
  migrations: Migrations,
  options: PlanOptions,
): Promise<BaselineResult> {
  const state = await readTarget(session, migrations);
  const foreign = ofSchemas(
    state.foreign,
    migrations,
    listSchemas(migrations, options),
    options.tenants,
  );
  if (foreign.length > 0) throw new ForeignObjectsError(foreign);
  if (!state.hasHistory) throw new NoBookkeepingError();
  refuseStandby(state);
  const open = listOpen(migrations, options).filter(
    ({ file, schema }) =>
      fileState(file, state.history.find(file, schema), state.history) !== 'applied',
  );
  const differences = await checkTarget(session, migrations, options);
  const different = new Set(
    differences.filter(isOfRelation).map(({ schema, name }) => `${schema}\0${name}`),
  );
  const recorded: PathInSchema[] = [];
  const reasons: Difference[] = [];
  for (const located of open) {
    const { schema, file } = located;
    const name = relationOf(located);
    if (different.has(`${schema}\0${name}`)) continue;
    const message =
      file.category === 'staging' ? await probe(session, migrations, located) : undefined;
    if (message !== undefined) reasons.push({ kind: 'different', schema, name, message });
    else {
      await session.write(
        recordApplied(migrations, located, { outcome: 'baseline', statements: undefined }),
      );
      recorded.push({ schema, path: file.path });
    }
  }
  return { recorded, differences: [...differences.filter(isOfRelation), ...reasons] };
}

/**
 * Returns true for a difference of a relation. Routines are compared by running their file, because no history
 * describes them.
 */
function isOfRelation({ name }: Difference): boolean {
  return !name.startsWith('routine ');
}

/** Lists files of tables in the schemas of this environment. */
function listOpen(migrations: Migrations, options: PlanOptions): readonly FileInSchema[] {
  const tenants = new Set(options.tenants);
  return listSchemas(migrations, options).flatMap((schema) =>
    migrations.files
      .filter((file) => file.table && belongsTo(file, schema, { set: migrations.set, tenants }))
      .map((file) => ({ file, schema })),
  );
}

function relationOf({ file: { category, table } }: FileInSchema): string {
  return category === 'staging' ? table!.names.staging : table!.name;
}

/**
 * Returns the reason why a staging file would change more than its table. Runs it in a transaction that is rolled back.
 */
async function probe(
  session: Session,
  { role }: Migrations,
  located: FileInSchema,
): Promise<string | undefined> {
  const { file, schema } = located;
  const table = [schema, file.table!.name].map(quoteLiteral).join(', ');
  const facts = `SELECT ${createdObjectsExpression(file, schema, { role, outcome: 'baseline' })} AS made,
  EXISTS (SELECT FROM cdc_management.merge_control WHERE (schema_name, table_name) = (${table})) AS "isMerged"`;
  try {
    const rows = (
      await session.queryEach<Facts>(
        `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n${PLAIN_SETTINGS}SET LOCAL lock_timeout = 3000;\n${facts};\n${expandSchema(located)}\n;\n${facts};\nROLLBACK`,
      )
    ).flat();
    const [before, after] = [rows[0], rows.at(-1)];
    if (!before?.isMerged) return 'is not registered for merges';
    return JSON.stringify(before.made) === JSON.stringify(after?.made)
      ? undefined
      : 'its routines differ from its file';
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
    await session.execute('ROLLBACK');
    return `its file fails: ${error.message}`;
  }
}

interface Facts {
  readonly made: unknown;
  readonly isMerged: boolean;
}
