import { isUserFile } from '@cdc-migrations/table-defs';
import { fileState, type FileState } from '../history/file-state.ts';
import { matchesAny } from '../tables/match-names.ts';
import {
  belongsTo,
  isGlobal,
  WHOLE_DATABASE,
  type MigrationFile,
  type Migrations,
} from '../migrations/migrations.ts';
import { listSchemas, type PlanOptions } from '../apply/plan-apply.ts';
import type { History, HistoryEntry, HistoryGroup, TargetState } from '../history/read-target.ts';

/** State of every file in every schema of this environment. */
export interface Status {
  readonly schemas: readonly SchemaStatus[];
  /** Hand-written files that are not applied everywhere. */
  readonly pendingManual: readonly string[];
}

/** State of all files in a schema. */
export interface SchemaStatus {
  /** Empty for the files of the whole database. */
  readonly schema: string;
  readonly files: readonly FileStatus[];
}

/** State of a file in a schema. */
export interface FileStatus {
  /** Path relative to the folder of the set. */
  readonly path: string;
  readonly state: FileState;
  /** Error of the last attempt with this content. */
  readonly error?: string;
}

/** States in which the error of the last attempt is about the current content. */
const TRIED_IN_VAIN: ReadonlySet<FileState> = new Set(['failed', 'unsafe']);

/** States without pending work. */
const SETTLED: ReadonlySet<FileState> = new Set(['applied']);

/** Builds the state of each file in each schema, without another query. */
export function buildStatus(
  migrations: Migrations,
  state: TargetState,
  options: PlanOptions,
): Status {
  const tenants = new Set(options.tenants);
  const { set, files } = migrations;
  const missing = listMissing(migrations, state.history.entries);
  const known = listSchemas(migrations, { tenants: options.knownTenants ?? options.tenants });
  const left = [
    ...new Set(
      state.history.entries.flatMap(({ entry, schemas: of }) =>
        entry.appliedChecksum === null ? [] : of,
      ),
    ),
  ].filter(
    (schema) =>
      schema !== WHOLE_DATABASE && !known.includes(schema) && matchesAny(schema, options.only),
  );
  const schemas = [WHOLE_DATABASE, ...listSchemas(migrations, options)].map((schema) => {
    const isThere = schema === WHOLE_DATABASE || state.schemas.has(schema);
    const own = files.filter((file) =>
      schema === WHOLE_DATABASE ? isGlobal(file) : belongsTo(file, schema, { set, tenants }),
    );
    return {
      schema,
      files: [
        ...own.map((file) =>
          statusOf(file, isThere ? state.history.find(file, schema) : undefined, state.history),
        ),
        ...(missing.get(schema) ?? []),
      ],
    };
  });
  const gone = left
    .sort()
    .map((schema) => ({ schema, files: ofNoTenant(state.history.entries, schema) }));
  const pendingManual = files
    .filter(isUserFile)
    .map(({ path }) => path)
    .filter((path) =>
      schemas.some((one) =>
        one.files.some((file) => file.path === path && !SETTLED.has(file.state)),
      ),
    );
  return { schemas: [...schemas, ...gone], pendingManual };
}

function statusOf(
  file: MigrationFile,
  entry: HistoryEntry | undefined,
  history: History,
): FileStatus {
  const state = fileState(file, entry, history);
  const error = TRIED_IN_VAIN.has(state) ? entry?.error : undefined;
  return { path: file.path, state, ...(error && { error }) };
}

/** Returns true if every file is applied in every schema. */
export function isUpToDate({ schemas }: Status): boolean {
  return schemas.every(({ files }) => files.every(({ state }) => SETTLED.has(state)));
}

/** Returns files that were applied to a schema without a tenant in the configuration. */
function ofNoTenant(entries: readonly HistoryGroup[], schema: string): readonly FileStatus[] {
  return entries
    .filter(({ entry, schemas }) => entry.appliedChecksum !== null && schemas.includes(schema))
    .map(({ file }) => ({ path: file, state: 'missing' }));
}

/** Lists files that were applied and are no longer in the manifest, by schema. */
function listMissing(
  { files }: Migrations,
  entries: readonly HistoryGroup[],
): ReadonlyMap<string, readonly FileStatus[]> {
  const listed = new Set(files.map(({ category, name }) => `${category}\0${name}`));
  const missing = new Map<string, FileStatus[]>();
  for (const { category, name, file, schemas, entry } of entries) {
    if (listed.has(`${category}\0${name}`) || entry.appliedChecksum === null) continue;
    for (const schema of schemas) {
      missing.set(schema, [...(missing.get(schema) ?? []), { path: file, state: 'missing' }]);
    }
  }
  return missing;
}
