import {
  dollarTag,
  quoteIdentifier,
  quoteLiteral,
  findPlaceholder,
  SCHEMA_PLACEHOLDER,
} from '@cdc-migrations/sql-text';
import { isUserFile } from '@cdc-migrations/table-defs';
import { isAppliedCondition, recordApplied, type FileInSchema } from '../history/history-sql.ts';
import type { Migrations } from '../migrations/migrations.ts';
import { NO_PLAIN_SETTINGS, PINNED, PLAIN_SETTINGS, UNPINNED } from '../session/plain-settings.ts';
import { splitStatements } from '../migrations/split-statements.ts';
import { lockHolders, lockKey, lockName } from '../session/take-lock.ts';

/** SQLSTATE of our guard: another session applies to this schema right now. */
export const BUSY = 'CD004';
/** SQLSTATE of our guard: another session has applied this content already. */
export const ALREADY_APPLIED = 'CD007';

/** Texts of a transaction in order. `body` contains the files. */
export interface FileTransaction {
  readonly begin: string;
  readonly guard: string;
  readonly body: string;
  /** Start of each file's text in the body. */
  readonly parts: readonly { readonly placed: FileInSchema; readonly offset: number }[];
  readonly record: string;
  readonly commit: string;
  /** Number of statements of each file. */
  readonly statements: readonly number[];
}

/** Longest wait of a file for a table lock, before it lets other sessions go first and retries. */
export const TABLE_LOCK_TIMEOUT_MS = 1000;

export interface TransactionOptions {
  /** Longest wait for a table lock. */
  readonly tableLockTimeoutMs: number;
  /** Allows rewrites of large tables. */
  readonly allowRewrite: boolean;
  /** Allows infrastructure that is older than that of the target to replace it. */
  readonly allowOlder?: boolean | undefined;
  /** Applies files again that are applied already. */
  readonly again?: boolean | undefined;
}

/** Files to apply in one transaction. */
export interface Work {
  readonly schemas: SchemaWork;
  readonly files: readonly [FileInSchema, ...FileInSchema[]];
  /** SQL before the files, in their transaction. */
  readonly before?: string;
  /** Files that run after the others in their transaction without being recorded, and SQL that checks their result. */
  readonly recreate?: { readonly files: readonly FileInSchema[]; readonly check: string };
}

/**
 * Work of the schemas file in this target. It comes from the model, because the file itself has the schemas of all
 * tenants.
 */
export interface SchemaWork {
  readonly creates: readonly string[];
  /** Schemas on which the role gets USAGE, including created ones. */
  readonly grants: readonly string[];
}

/** Leaves all schemas unchanged. */
export const NO_SCHEMAS: SchemaWork = { creates: [], grants: [] };

/** Error: a file of the whole database has a placeholder, or a placeholder is misspelled. */
export class PlaceholderError extends Error {
  override readonly name = 'PlaceholderError';
}

/**
 * Builds one transaction with files and their history. It fails if another session works on the schema or has applied
 * the files already, so nothing is applied twice.
 */
export function buildTransaction(
  migrations: Migrations,
  work: Work,
  { tableLockTimeoutMs, allowRewrite, allowOlder = false, again = false }: TransactionOptions,
): FileTransaction {
  const bodies = work.files.map((located) => buildBody(migrations, work, located));
  const statements = bodies.map((body) => splitStatements(body).length);
  const records = work.files.map((located, index) =>
    recordApplied(migrations, located, { outcome: 'applied', statements: statements[index] }),
  );
  const isOfUsers = work.files.some(({ file }) => isUserFile(file));
  const hasUserText = isOfUsers || work.recreate !== undefined;
  const guard = buildGuard(
    migrations,
    work,
    again ? 'false' : isAppliedMeanwhile(migrations, work),
  );
  const allowed = [
    ...(allowRewrite ? [`SET LOCAL cdc.allow_rewrite = 'on';\n`] : []),
    ...(allowOlder ? [`SET LOCAL cdc.allow_older = 'on';\n`] : []),
  ].join('');
  return {
    begin: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n${isOfUsers ? UNPINNED : PLAIN_SETTINGS}SET LOCAL lock_timeout = ${tableLockTimeoutMs};\n${allowed}`,
    guard: isOfUsers ? PINNED + guard + UNPINNED : guard,
    ...joinParts(work, bodies),
    record: `\n;\n${hasUserText ? RESET_ROLE : ''}${PINNED}${records.join(';\n')};\n${hasUserText ? RESET : ''}`,
    commit: 'COMMIT;\n',
    statements,
  };
}

/** Joins the texts before the files, the files, and the recreated objects after them. */
function joinParts(
  { before, files, recreate }: Work,
  bodies: readonly string[],
): Pick<FileTransaction, 'body' | 'parts'> {
  const [first] = files;
  const texts = [
    ...(before === undefined ? [] : [{ placed: first, text: before }]),
    ...files.map((located, at) => ({ placed: located, text: bodies[at]! })),
    ...(recreate?.files ?? []).flatMap((located) => [
      { placed: located, text: `${NO_PLAIN_SETTINGS}SET LOCAL client_min_messages TO DEFAULT` },
      { placed: located, text: expandSchema(located) },
      { placed: first, text: `${RESET_ROLE}${PLAIN_SETTINGS.trimEnd()}` },
    ]),
    ...(recreate ? [{ placed: first, text: recreate.check }] : []),
  ];
  let body = '';
  const parts = texts.map(({ placed, text }) => {
    const offset = body.length;
    body += `${text}\n;\n`;
    return { placed, offset };
  });
  return { body: body.slice(0, -'\n;\n'.length), parts };
}

const UNLOCK = 'SELECT pg_catalog.pg_advisory_unlock_all();\n';

/** The history of a hand-written file names the user of the apply. */
const RESET_ROLE = 'RESET SESSION AUTHORIZATION;\nRESET ROLE;\n';

/**
 * Resets settings, locks and temporary objects of a hand-written file, so that later files and pooled sessions do not
 * see them. A setting after it would stay in the session.
 */
const RESET = `RESET ALL;
UNLISTEN *;
DISCARD TEMP;
${UNLOCK}`;

/** Ends a failed transaction. A session-level lock of a hand-written file would outlast it. */
export const ROLLBACK = `ROLLBACK;\n${UNLOCK}`;

/** Returns the text of a file for a schema. */
export function expandSchema({ file, schema }: FileInSchema): string {
  const text =
    file.scope === 'tenant' ? file.text.replaceAll(SCHEMA_PLACEHOLDER, schema) : file.text;
  const left = findPlaceholder(text);
  if (left !== undefined) {
    throw new PlaceholderError(
      `${file.path}: expected only ${SCHEMA_PLACEHOLDER} in a file of tenants, found ${left}`,
    );
  }
  return text;
}

function buildBody({ role }: Migrations, { schemas }: Work, located: FileInSchema): string {
  if (located.file.category !== 'schemas') return expandSchema(located);
  const creates = schemas.creates.map((name) => `CREATE SCHEMA ${quoteIdentifier(name)}`);
  const grants = schemas.grants.map(
    (name) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(name)} TO ${quoteIdentifier(role)}`,
  );
  return [...creates, ...grants].join(';\n');
}

/** Returns an SQL condition: nothing of the work remains. A missing schema counts as one that the role may not use. */
function isAppliedMeanwhile({ set, role }: Migrations, { files, schemas }: Work): string {
  return [
    ...files.map((located) => isAppliedCondition(set.name, located)),
    ...schemas.grants.map((name) => {
      const schema = `pg_catalog.to_regnamespace(${quoteLiteral(quoteIdentifier(name))})`;
      const mayUse = `pg_catalog.has_schema_privilege(${quoteLiteral(role)}, ${schema}, 'USAGE')`;
      return `coalesce(${mayUse}, false)`;
    }),
  ].join('\n      AND ');
}

function buildGuard({ set }: Migrations, { files }: Work, isApplied: string): string {
  const [first] = files;
  const tables = files.filter(({ file }) => file.category === 'tables');
  const isKnown = tables.map((located) => isAppliedCondition(set.name, located)).join(' AND ');
  const lock = lockName(set.name, first.schema);
  const body = `
BEGIN
  IF NOT pg_catalog.pg_try_advisory_xact_lock(${lockKey(lock)}) THEN
    RAISE EXCEPTION USING ERRCODE = '${BUSY}', MESSAGE = 'another session applies to this schema' || coalesce((
      SELECT pg_catalog.format(': pid %s, application "%s", user %s', pid, application, "user")
      FROM (${lockHolders(lock)}) AS holder), '');
  END IF;
  IF pg_catalog.to_regclass('cdc_management.migration_history') IS NOT NULL THEN
    IF ${isApplied} THEN
      RAISE EXCEPTION 'applied meanwhile' USING ERRCODE = '${ALREADY_APPLIED}';
    END IF;${
      tables.length > 0
        ? `
    PERFORM pg_catalog.set_config('cdc.is_applied', CASE WHEN ${isKnown} THEN 'on' ELSE 'off' END, true);`
        : ''
    }
  END IF;
END
`;
  const tag = dollarTag(body, 'guard');
  return `DO ${tag}${body}${tag};\n`;
}
