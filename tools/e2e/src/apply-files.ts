import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import type { Notice, Sql } from 'postgres';

/** A file of a migration set, as an applier needs it. */
export interface MigrationFile {
  readonly path: string;
  readonly category: string;
  readonly scope: 'database' | 'tenant' | 'literal';
  /** Service of a table's file. It is the schema if services share a database. */
  readonly service?: string | undefined;
  readonly text: string;
}

export interface ApplyOptions {
  readonly database: string;
  readonly user: string;
  /** Schemas for the files of scope `tenant`. */
  readonly tenants: readonly string[];
}

/** A file that was applied in one transaction. */
export interface AppliedFile {
  readonly path: string;
  /** Set for a file of scope `tenant`. */
  readonly schema: string | null;
  readonly notices: readonly Notice[];
}

/** Thrown if a file fails. The message names the file and the schema. */
export class ApplyError extends Error {
  constructor(path: string, schema: string | null, cause: unknown) {
    const place = schema === null ? path : `${path} in ${schema}`;
    super(`${place}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ApplyError';
  }
}

const CONNECTIONS = 2;
/** Categories that are applied once per database, one after the other, before everything else. */
const BY_ITSELF: ReadonlySet<string> = new Set(['schemas', 'infrastructure', 'manual']);

/**
 * Applies the files of a migration set as a user without our tool would: in order, with the placeholder replaced, each
 * file in one transaction, files of tenants once per tenant. Two independent tenants run at a time.
 *
 * @throws ApplyError for the first file that fails.
 */
export async function applyFiles(
  server: PostgresServer,
  options: ApplyOptions,
  files: readonly MigrationFile[],
): Promise<readonly AppliedFile[]> {
  const applied: AppliedFile[] = [];
  for (const step of splitSteps(files)) {
    const schemas = step[0]?.scope === 'tenant' ? [...options.tenants] : [null];
    const workers = Array.from({ length: Math.min(CONNECTIONS, schemas.length) }, async () => {
      for (let schema = schemas.shift(); schema !== undefined; schema = schemas.shift()) {
        applied.push(...(await applyStep(server, options, step, schema)));
      }
    });
    await Promise.all(workers);
  }
  return applied;
}

/** Splits files into runs of one scope. Within a run, tenants do not wait for each other. */
function splitSteps(files: readonly MigrationFile[]): readonly (readonly MigrationFile[])[] {
  const steps: MigrationFile[][] = [];
  for (const file of files) {
    const last = steps.at(-1);
    const joins = last?.[0]?.scope === file.scope && !BY_ITSELF.has(file.category);
    if (last && joins) last.push(file);
    else steps.push([file]);
  }
  return steps;
}

async function applyStep(
  server: PostgresServer,
  { database, user }: ApplyOptions,
  files: readonly MigrationFile[],
  schema: string | null,
): Promise<readonly AppliedFile[]> {
  let notices: Notice[] = [];
  const onnotice = (notice: Notice) => notices.push(notice);
  const sql = server.connect({ database, user, max: 1, fetch_types: false, onnotice });
  try {
    const applied: AppliedFile[] = [];
    for (const file of files) {
      notices = [];
      await applyFile(sql, file, schema);
      applied.push({ path: file.path, schema, notices });
    }
    return applied;
  } finally {
    await sql.end();
  }
}

async function applyFile(sql: Sql, { path, text }: MigrationFile, schema: string | null) {
  const statements = schema === null ? text : text.replaceAll(SCHEMA_PLACEHOLDER, schema);
  try {
    await sql.begin((transaction) => transaction.unsafe(statements).simple());
  } catch (error) {
    throw new ApplyError(path, schema, error);
  }
}
