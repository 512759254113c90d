import {
  dollarTag,
  quoteIdentifier,
  quoteLiteral,
  findPlaceholder,
  SCHEMA_PLACEHOLDER,
} from '@cdc-migrations/sql-text';
import { isUserFile } from '@cdc-migrations/table-defs';
import { isAppliedCondition, recordApplied, type Placed } from '../history/history-sql.ts';
import type { Migrations } from '../migrations/migrations.ts';
import { NO_PLAIN_SETTINGS, PINNED, PLAIN_SETTINGS, UNPINNED } from '../session/plain-settings.ts';
import { splitStatements } from '../migrations/split-statements.ts';
import { lockHolders, lockKey, lockName } from '../session/take-lock.ts';

/** SQLSTATE that our guard raises: another session applies to this schema right now. */
export const BUSY = 'CD004';
/** SQLSTATE that our guard raises: somebody has applied this content meanwhile. */
export const ALREADY_APPLIED = 'CD007';

/** The texts of a transaction in order; `body` is what the files say. */
export interface FileTransaction {
  readonly begin: string;
  readonly guard: string;
  readonly body: string;
  /** Where in the body the text of a file begins. */
  readonly parts: readonly { readonly placed: Placed; readonly offset: number }[];
  readonly record: string;
  readonly commit: string;
  /** How many each file has. */
  readonly statements: readonly number[];
}

/** Longest wait of a file for the lock of a table, before it lets others go first and comes back. */
export const TABLE_LOCK_TIMEOUT_MS = 1000;

export interface TransactionOptions {
  /** Longest wait for a lock on a table. */
  readonly tableLockTimeoutMs: number;
  /** Let large tables be rewritten. */
  readonly allowRewrite: boolean;
  /** Let infrastructure that is older than that of the target replace it. */
  readonly allowOlder?: boolean | undefined;
  /** Apply files that are applied already, too. */
  readonly again?: boolean | undefined;
}

/** Files to apply in one transaction. */
export interface Work {
  readonly schemas: SchemaWork;
  readonly files: readonly [Placed, ...Placed[]];
  /** SQL in front of the files, in their transaction. */
  readonly before?: string;
  /** Files that run behind the others, in their transaction, and are not recorded, and the SQL that looks at what they did. */
  readonly recreate?: { readonly files: readonly Placed[]; readonly check: string };
}

/** What the file of schemas is to do: from the model, as the file itself has the schemas of all tenants. */
export interface SchemaWork {
  readonly creates: readonly string[];
  /** Schemas that the role is to be granted the use of, those among them that are created. */
  readonly grants: readonly string[];
}

/** Schemas are left as they are. */
export const NO_SCHEMAS: SchemaWork = { creates: [], grants: [] };

/** A placeholder is left where a file that belongs to the whole database has one, or where it is misspelled. */
export class PlaceholderError extends Error {
  override readonly name = 'PlaceholderError';
}

/**
 * One transaction with files and their history: it fails where another session works on the schema, and where the
 * files have been applied meanwhile, so that nothing is applied twice whoever else is at work.
 */
export function buildTransaction(
  migrations: Migrations,
  work: Work,
  { tableLockTimeoutMs, allowRewrite, allowOlder = false, again = false }: TransactionOptions,
): FileTransaction {
  const bodies = work.files.map((placed) => buildBody(migrations, work, placed));
  const statements = bodies.map((body) => splitStatements(body).length);
  const records = work.files.map((placed, index) =>
    recordApplied(migrations, placed, { outcome: 'applied', statements: statements[index] }),
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

/** One text of what comes before the files, the files, and what is created again behind them. */
function joinParts(
  { before, files, recreate }: Work,
  bodies: readonly string[],
): Pick<FileTransaction, 'body' | 'parts'> {
  const [first] = files;
  const texts = [
    ...(before === undefined ? [] : [{ placed: first, text: before }]),
    ...files.map((placed, at) => ({ placed, text: bodies[at]! })),
    ...(recreate?.files ?? []).flatMap((placed) => [
      { placed, text: `${NO_PLAIN_SETTINGS}SET LOCAL client_min_messages TO DEFAULT` },
      { placed, text: expandSchema(placed) },
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

/** Who records a file by people is who applies it. */
const RESET_ROLE = 'RESET SESSION AUTHORIZATION;\nRESET ROLE;\n';

/**
 * What a file by people may have set, taken or created in its session is not for the files behind it, nor for a pool. A
 * setting behind it would stay in the session.
 */
const RESET = `RESET ALL;
UNLISTEN *;
DISCARD TEMP;
${UNLOCK}`;

/** Ends a transaction that failed; a lock that a file by people has taken for its session would outlast it. */
export const ROLLBACK = `ROLLBACK;\n${UNLOCK}`;

/** The text of a file for a schema. */
export function expandSchema({ file, schema }: Placed): string {
  const text =
    file.scope === 'tenant' ? file.text.replaceAll(SCHEMA_PLACEHOLDER, schema) : file.text;
  const left = findPlaceholder(text);
  if (left !== undefined) {
    throw new PlaceholderError(
      `${file.path}: ${left} stands there, and ${SCHEMA_PLACEHOLDER} in a file of tenants is what is replaced`,
    );
  }
  return text;
}

function buildBody({ role }: Migrations, { schemas }: Work, placed: Placed): string {
  if (placed.file.category !== 'schemas') return expandSchema(placed);
  const creates = schemas.creates.map((name) => `CREATE SCHEMA ${quoteIdentifier(name)}`);
  const grants = schemas.grants.map(
    (name) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(name)} TO ${quoteIdentifier(role)}`,
  );
  return [...creates, ...grants].join(';\n');
}

/** SQL condition: nothing of the work is left to do. A schema that is not there is none that the role may use. */
function isAppliedMeanwhile({ set, role }: Migrations, { files, schemas }: Work): string {
  return [
    ...files.map((placed) => isAppliedCondition(set.name, placed)),
    ...schemas.grants.map((name) => {
      const schema = `pg_catalog.to_regnamespace(${quoteLiteral(quoteIdentifier(name))})`;
      const mayUse = `pg_catalog.has_schema_privilege(${quoteLiteral(role)}, ${schema}, 'USAGE')`;
      return `coalesce(${mayUse}, false)`;
    }),
  ].join('\n      AND ');
}

function buildGuard({ set }: Migrations, { files }: Work, isApplied: string): string {
  const [first] = files;
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
    END IF;
  END IF;
END
`;
  const tag = dollarTag(body, 'guard');
  return `DO ${tag}${body}${tag};\n`;
}
