import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '@cdc-migrations/generated-file';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import type { Notice, Sql } from 'postgres';

/** A file of a manifest: what an applier needs to know. */
export interface ManifestFile {
  /** Relative to the implementation repo. */
  readonly path: string;
  readonly category: string;
  readonly scope: 'database' | 'tenant' | 'literal';
}

export interface ManifestOptions {
  /** Folder of the implementation repo. */
  readonly root: string;
  /** Relative to `root`; default: `migrations/manifest.yaml`. */
  readonly manifest?: string;
  readonly database: string;
  readonly user: string;
  /** Schemas that the files of scope `tenant` are applied to. */
  readonly tenants: readonly string[];
}

/** A transaction that was made. */
export interface AppliedFile {
  readonly path: string;
  /** Of a file of scope `tenant`. */
  readonly schema: string | null;
  readonly notices: readonly Notice[];
}

/** Applying SQL that fails: which file, in which schema. */
export class ApplyError extends Error {
  constructor(path: string, schema: string | null, cause: unknown) {
    const place = schema === null ? path : `${path} in ${schema}`;
    super(`${place}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'ApplyError';
  }
}

const CONNECTIONS = 2;
/** Made once per database, one after the other, before and after all else. */
const BY_ITSELF: ReadonlySet<string> = new Set(['schemas', 'infrastructure', 'manual']);

/**
 * Applies a migration set as somebody without our tool does: file by file in the manifest's order, the
 * placeholder replaced, each file in one transaction, files of tenants once per tenant. Tenants are independent
 * of each other: two at a time.
 *
 * @throws ApplyError at the first file that fails.
 */
export async function applyManifest(
  server: PostgresServer,
  options: ManifestOptions,
): Promise<readonly AppliedFile[]> {
  const files = readManifest(options).filter(({ category }) => category !== 'validation');
  const applied: AppliedFile[] = [];
  for (const step of splitSteps(files)) {
    const schemas = step[0]?.scope === 'tenant' ? [...options.tenants] : [null];
    const workers = Array.from({ length: Math.min(CONNECTIONS, schemas.length) }, async () => {
      for (let schema = schemas.shift(); schema !== undefined; schema = schemas.shift()) {
        applied.push(...(await applyFiles(server, options, step, schema)));
      }
    });
    await Promise.all(workers);
  }
  return applied;
}

/** The files of a manifest in the order of application. */
export function readManifest(
  options: Pick<ManifestOptions, 'root' | 'manifest'>,
): readonly ManifestFile[] {
  const text = readFileSync(join(options.root, options.manifest ?? MANIFEST), 'utf8');
  return (parseYaml(text) as { readonly files: readonly ManifestFile[] }).files;
}

const MANIFEST = 'migrations/manifest.yaml';

/** Runs of files of one scope: tenants go through such a run without waiting for each other. */
function splitSteps(files: readonly ManifestFile[]): readonly (readonly ManifestFile[])[] {
  const steps: ManifestFile[][] = [];
  for (const file of files) {
    const last = steps.at(-1);
    const joins = last?.[0]?.scope === file.scope && !BY_ITSELF.has(file.category);
    if (last && joins) last.push(file);
    else steps.push([file]);
  }
  return steps;
}

async function applyFiles(
  server: PostgresServer,
  { root, database, user }: ManifestOptions,
  files: readonly ManifestFile[],
  schema: string | null,
): Promise<readonly AppliedFile[]> {
  let notices: Notice[] = [];
  const sql = server.connect({
    database,
    user,
    max: 1,
    fetch_types: false,
    onnotice: (notice) => notices.push(notice),
  });
  try {
    const applied: AppliedFile[] = [];
    for (const { path } of files) {
      notices = [];
      await applyFile(sql, readFileSync(join(root, path), 'utf8'), path, schema);
      applied.push({ path, schema, notices });
    }
    return applied;
  } finally {
    await sql.end();
  }
}

async function applyFile(sql: Sql, text: string, path: string, schema: string | null) {
  const statements = schema === null ? text : text.replaceAll(SCHEMA_PLACEHOLDER, schema);
  try {
    await sql.begin((transaction) => transaction.unsafe(statements).simple());
  } catch (error) {
    throw new ApplyError(path, schema, error);
  }
}
