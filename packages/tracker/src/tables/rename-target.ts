import { quoteLiteral } from '@cdc-migrations/sql-text';
import { renamedIndexes } from '@cdc-migrations/table-defs';
import { runTransaction } from '../apply/apply-file.ts';
import { refuseProblems } from '../apply/apply-migrations.ts';
import { buildTransaction, NO_SCHEMAS, TABLE_LOCK_TIMEOUT_MS } from '../apply/file-transaction.ts';
import type { FileInSchema } from '../history/history-sql.ts';
import { jsonLiteral } from '../session/json-literal.ts';
import { definedTables, readKnownTables } from './known-tables.ts';
import { matchesAny } from './match-names.ts';
import { belongsTo, type Migrations } from '../migrations/migrations.ts';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { listSchemas, type PlanOptions } from '../apply/plan-apply.ts';
import { readTarget, refuseStandby, type History } from '../history/read-target.ts';
import { findCorrected, findOldName, type RenamedFile } from './renamed-files.ts';
import { StillDefinedError } from './retire-tables.ts';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import {
  describeBlocker,
  lockHolders,
  lockName,
  undoReads,
  watchBlockers,
  withLock,
  type LockBlocker,
} from '../session/take-lock.ts';

/** A customer, which is a schema, or a table, with its new name. */
export interface Renaming {
  readonly kind: 'customer' | 'table';
  readonly from: string;
  readonly to: string;
}

/** Options of a rename. */
export interface RenameOptions extends PlanOptions {
  readonly renaming: Renaming;
  /** Only reports what would be renamed. */
  readonly isDryRun: boolean;
  readonly onWait?: (wait: RenameWait) => void;
  /** Reports hand-written files that have the old name or a corrected one. */
  readonly onFile?: (file: RenamedFile) => void;
}

/** A lock is in the way of a rename, which tries again. */
export interface RenameWait {
  readonly schema: string;
  readonly reason: string;
  /** Who has the lock; empty where it was not seen. */
  readonly blockers: readonly LockBlocker[];
}

/** Outcome of the rename of a schema, or of a table in a schema. */
export interface Renamed {
  /** Current name of the schema. */
  readonly schema: string;
  /** Old names of tables with bookkeeping. */
  readonly tables: readonly string[];
  /** `found` means a dry run. */
  readonly outcome: 'renamed' | 'found' | 'refused' | 'failed';
  readonly reason: string | null;
}

/** Error: the configuration does not have the new name. */
export class NotDefinedError extends Error {
  override readonly name = 'NotDefinedError';
}

const LOCK_TIMEOUT_MS = 10_000;
const RETRY_FOR_MS = 60_000;

/**
 * Renames a schema or a table with its bookkeeping and history, and applies its files under the new name. Each schema
 * is one transaction, which waits for writers and merges. If it was renamed by hand, only the bookkeeping follows. Renames
 * nothing without bookkeeping under the old name. A hand-written file that was applied with the old name, and has the new
 * one now, counts as applied.
 *
 * @throws StillDefinedError, NotDefinedError, FilesRefusedError, NoBookkeepingError, StandbyError,
 *   LockNotObtainedError, TargetError
 */
export async function renameTarget(
  address: TargetAddress,
  migrations: Migrations,
  options: RenameOptions,
): Promise<readonly Renamed[]> {
  refuseProblems(migrations);
  const control = openSession(address, 'cdc rename lock');
  const session = openSession(address, 'cdc rename');
  const lock = { timeoutMs: LOCK_TIMEOUT_MS, onWait: () => {} };
  try {
    const plan = await planRename(session, migrations, options);
    if (options.isDryRun) {
      reportFiles(migrations, (await readTarget(session, migrations)).history, options);
      return plan.map(({ renamed }) => ({ ...renamed, outcome: 'found' }));
    }
    return await withLock(control, migrations.set.name, lock, async () => {
      const state = await readTarget(control, migrations);
      await undoReads(control);
      refuseStandby(state);
      const done: Renamed[] = [];
      for (const step of plan)
        done.push(await renameOne({ session, control, migrations }, step, options));
      if (done.every(({ outcome }) => outcome === 'renamed')) {
        for (const statement of reportFiles(migrations, state.history, options))
          await session.write(statement);
      }
      return done;
    });
  } finally {
    await Promise.all([control.close(), session.close()]);
  }
}

/** Reports hand-written files with the old name or a corrected one. Returns the SQL for the history of the latter. */
function reportFiles(
  migrations: Migrations,
  history: History,
  { renaming: { from, to }, onFile = () => {} }: RenameOptions,
): readonly string[] {
  const names = { from: from.slice(from.indexOf('.') + 1), to };
  const corrected = findCorrected(migrations, history, names);
  for (const { file } of corrected) onFile(file);
  for (const file of findOldName(migrations.files, names)) onFile(file);
  return corrected.map(({ statement }) => statement);
}

interface Step {
  readonly renamed: Pick<Renamed, 'schema' | 'tables' | 'reason'>;
  readonly before: string;
  readonly files: readonly FileInSchema[];
}

async function planRename(
  session: Session,
  migrations: Migrations,
  options: RenameOptions,
): Promise<readonly Step[]> {
  const known = await readKnownTables(session);
  if (!known) throw new NoBookkeepingError();
  const { kind, from, to } = options.renaming;
  const tenants = new Set(options.tenants);
  const filesIn = (schema: string) =>
    migrations.files
      .filter(
        (file) =>
          file.table &&
          file.category !== 'validation' &&
          belongsTo(file, schema, { set: migrations.set, tenants }),
      )
      .map((file) => ({ file, schema }));
  if (kind === 'customer') {
    refuseTenants(options);
    const tables = known.filter(({ schema }) => schema === from).map(({ table }) => table);
    if (tables.length === 0) return [];
    // New tables, and tables that are also renamed, come afterwards.
    const files = filesIn(to).filter(({ file }) => tables.includes(file.table!.name));
    if (files.length === 0) {
      throw new NotDefinedError(`no table of ${from} is in services/ for ${to}`);
    }
    const before = `CALL cdc_management.rename_schema(${quoteLiteral(from)}, ${quoteLiteral(to)})`;
    return [{ renamed: { schema: to, tables, reason: null }, before, files }];
  }
  const isDefined = definedTables(migrations, options);
  const schemas = listSchemas(migrations, options);
  const selected = known.filter(
    ({ schema, table }) =>
      schemas.includes(schema) &&
      matchesAny(schema, options.only) &&
      (from === table || from === `${schema}.${table}`),
  );
  const still = selected.filter(({ schema, table }) => isDefined(schema, table));
  if (still.length > 0) {
    throw new StillDefinedError(
      `table ${still[0]!.schema}.${still[0]!.table} is in services/: rename it there, generate, then rename it here`,
    );
  }
  return selected.map(({ schema, table }): Step => {
    const files = filesIn(schema).filter(({ file }) => file.table!.name === to);
    const defined = files[0]?.file.table;
    if (!defined) {
      throw new NotDefinedError(
        `table ${schema}.${to} is not in services/: rename it there, generate, then rename it here`,
      );
    }
    const names = { ...defined.names, indexes: renamedIndexes(defined, table) };
    const call = [schema, table, to].map(quoteLiteral).join(', ');
    return {
      renamed: { schema, tables: [table], reason: null },
      before: `CALL cdc_management.rename_table(${call}, ${jsonLiteral(names)})`,
      files,
    };
  });
}

function refuseTenants({ renaming: { from, to }, tenants, knownTenants }: RenameOptions): void {
  if ((knownTenants ?? tenants).includes(from)) {
    throw new StillDefinedError(
      `customer ${from} is in source-groups.yaml: rename it there, generate, then rename it here`,
    );
  }
  if (!tenants.includes(to)) {
    throw new NotDefinedError(
      `customer ${to} is not in source-groups.yaml with this environment: rename it there, generate, then rename it here`,
    );
  }
}

interface RenameSessions {
  readonly session: Session;
  /** Holds the lock of the rename. */
  readonly control: Session;
  readonly migrations: Migrations;
}

async function renameOne(
  { session, control, migrations }: RenameSessions,
  { renamed, before, files }: Step,
  { onWait = () => undefined }: RenameOptions,
): Promise<Renamed> {
  const [first, ...others] = files;
  const transaction = buildTransaction(
    migrations,
    { schemas: NO_SCHEMAS, files: [first!, ...others], before },
    { tableLockTimeoutMs: TABLE_LOCK_TIMEOUT_MS, allowRewrite: false, again: true },
  );
  const watch = watchBlockers(control, lockHolders(lockName(migrations.set.name, first!.schema)));
  const outcome = await runTransaction(session, transaction, {
    retryForMs: RETRY_FOR_MS,
    onRetry: (reason) => onWait({ schema: renamed.schema, reason, blockers: watch.take() }),
  }).finally(watch.stop);
  if (outcome.kind === 'applied') return { ...renamed, outcome: 'renamed' };
  if (outcome.kind === 'meanwhile') throw new Error('a rename is never applied meanwhile');
  const { message, detail, hint } = outcome.error;
  const holders = watch.take().map((one) => `held by ${describeBlocker(one)}`);
  return {
    ...renamed,
    outcome: outcome.kind === 'unsafe' ? 'refused' : 'failed',
    reason: [message, detail, hint, ...holders].filter(Boolean).join('; '),
  };
}
