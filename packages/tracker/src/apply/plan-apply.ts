import { schemaNameProblem } from '@cdc-migrations/config';
import { isUserFile, MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { fileState, isOnce, TO_APPLY, type FileState } from '../history/file-state.ts';
import { NO_SCHEMAS, type SchemaWork } from './file-transaction.ts';
import { matchesAny } from '../tables/match-names.ts';
import {
  belongsTo,
  isBehindTables,
  isGlobal,
  isWithoutTransaction,
  WHOLE_DATABASE,
  type MigrationFile,
  type Migrations,
} from '../migrations/migrations.ts';
import { ForeignObjectsError, ofSchemas } from '../session/foreign-objects.ts';
import type { HistoryGroup, TargetState } from '../history/read-target.ts';
import { findClientCommand } from '@cdc-migrations/sql-text';
import { ClientCommandError, SeveralStatementsError } from '../migrations/refused-statements.ts';
import { splitStatements } from '../migrations/split-statements.ts';

/** Everything to do, in order. A step begins when the previous one has ended. */
export interface ApplyPlan {
  readonly migrations: Migrations;
  readonly steps: readonly ApplyStep[];
  /** Schemas with pending files, in order. */
  readonly schemas: readonly string[];
  /** Number of schemas of this environment, with or without pending files. */
  readonly schemaCount: number;
  /** Schemas that exist or that this plan creates. */
  readonly present: readonly string[];
  /** Schemas that do not exist any more, although files were applied to them. */
  readonly gone: readonly string[];
  /** Number of files in schemas that are applied already. */
  readonly appliedCount: number;
}

/** Step of a plan. It begins when the previous one has ended. */
export type ApplyStep =
  /** One transaction: schemas to create, and files of the whole database. */
  | {
      readonly kind: 'database';
      readonly schemas: SchemaWork;
      readonly files: readonly MigrationFile[];
    }
  /** Schemas in parallel. */
  | { readonly kind: 'schemas'; readonly runs: readonly SchemaRun[] };

/** Files to apply to a schema, in order. */
export interface SchemaRun {
  readonly schema: string;
  readonly files: readonly MigrationFile[];
}

/** Selection of schemas and files for a plan. */
export interface PlanOptions {
  /** Schemas of the tenants of this environment. */
  readonly tenants: readonly string[];
  /** All tenants of the configuration with schemas in this database, if there are more. */
  readonly knownTenants?: readonly string[] | undefined;
  /** Globs of schemas. The default is all. */
  readonly only?: readonly string[] | undefined;
  /** Names of schemas, for example those of a wave. The default is all. */
  readonly among?: readonly string[] | undefined;
  /** Applies files again that are applied already, to repair drift. Hand-written files are skipped. */
  readonly again?: boolean | undefined;
  /** Files of the whole database for `again`: those before the tables, those after them. The default is both. */
  readonly againOfDatabase?: { readonly before: boolean; readonly behind: boolean } | undefined;
}

/** Error: a schema name could break out of its quotes. */
export class UnsafeSchemaNameError extends Error {
  override readonly name = 'UnsafeSchemaNameError';
}

/** Required encoding of a target. All others lack characters that sources have. */
const ENCODING = 'UTF8';

/** Error: the target cannot store every text. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
  constructor(readonly encoding: string) {
    super(
      `the encoding of the database is ${encoding}, which cannot store every text of a source: expected ${ENCODING}; ` +
        `create it with TEMPLATE template0 ENCODING '${ENCODING}'`,
    );
  }
}

/** Error: the role that files grant to does not exist in the target. */
export class RoleMissingError extends Error {
  override readonly name = 'RoleMissingError';
  constructor(readonly role: string) {
    super(
      `role "${role}" does not exist in the target; create it, or generate with CDC_DB_USER set to the role that the sink pipeline logs in as`,
    );
  }
}

/** Error: hand-written files were changed after they had been applied. */
export class ManualFilesEditedError extends Error {
  override readonly name = 'ManualFilesEditedError';
  constructor(readonly paths: readonly string[]) {
    super(
      paths
        .map((path) => `${path}: changed after it was applied; put the change into a new file`)
        .join('\n'),
    );
  }
}

/**
 * Plans the changes that bring a target up to date. The plan is empty if there are none.
 *
 * @throws UnsafeSchemaNameError, ForeignObjectsError, EncodingError, RoleMissingError, ManualFilesEditedError,
 *   SeveralStatementsError, ClientCommandError
 */
export function planApply(
  migrations: Migrations,
  state: TargetState,
  options: PlanOptions,
): ApplyPlan {
  const wanted = listSchemas(migrations, options);
  const gone = wanted.filter((schema) => isGone(schema, state));
  const schemas = wanted.filter((schema) => !gone.includes(schema));
  const counts = { applied: 0 };
  const edited = new Set<string>();
  const isToDo = (file: MigrationFile, schema: string) => {
    const isThere = schema === WHOLE_DATABASE || state.schemas.has(schema);
    const entry = isThere ? state.history.find(file, schema) : undefined;
    const found: FileState = fileState(file, entry, state.history);
    if (found === 'edited') edited.add(file.path);
    const isAgain = found === 'applied' && !isOnce(file) && isToRepeat(file, options);
    if (found === 'applied' && !isAgain) counts.applied++;
    return isAgain || TO_APPLY.has(found);
  };
  const created = [MANAGEMENT_SCHEMA, ...schemas.filter((schema) => schema !== 'public')];
  const creates = created.filter((schema) => !state.schemas.has(schema));
  const grants = created.filter((schema) => !state.usable.has(schema));
  const tenants = new Set(options.tenants);
  const runsOf = (files: readonly MigrationFile[]) =>
    schemas.map((schema) => ({
      schema,
      files: files.filter((file) => belongsTo(file, schema, { set: migrations.set, tenants })),
    }));
  // A file of the whole database after the tables comes after those of all schemas.
  const others = options.among
    ? listSchemas(migrations, { tenants: options.tenants }).filter(
        (schema) => !wanted.includes(schema),
      )
    : [];
  const isOpen = (schema: string) =>
    migrations.files.some(
      (file) =>
        belongsTo(file, schema, { set: migrations.set, tenants }) &&
        fileState(file, state.history.find(file, schema), state.history) !== 'applied',
    );
  const files =
    options.only || others.some(isOpen)
      ? migrations.files.filter((file) => !(isGlobal(file) && isBehindTables(file)))
      : migrations.files;
  const steps = splitSteps(files).flatMap((files) =>
    isGlobal(files[0]!)
      ? planDatabase(files, isToDo, { creates, grants })
      : planSchemas(files, isToDo, runsOf),
  );
  const foreign = ofSchemas(state.foreign, migrations, schemas, options.tenants);
  if (foreign.length > 0) throw new ForeignObjectsError(foreign);
  if (edited.size > 0) throw new ManualFilesEditedError([...edited]);
  refuseStatements(steps);
  // A target in use keeps its encoding.
  if (steps.length > 0 && !state.hasHistory && state.encoding !== ENCODING) {
    throw new EncodingError(state.encoding);
  }
  if (steps.length > 0 && !state.hasRole) throw new RoleMissingError(migrations.role);
  const busy = new Set(
    steps.flatMap((step) => (step.kind === 'schemas' ? step.runs.map(({ schema }) => schema) : [])),
  );
  return {
    migrations,
    steps,
    schemas: schemas.filter((schema) => busy.has(schema)),
    schemaCount: wanted.length,
    present: schemas,
    gone,
    appliedCount: counts.applied,
  };
}

/** True if an applied file is to be applied again. */
function isToRepeat(
  file: MigrationFile,
  { again = false, againOfDatabase = { before: true, behind: true } }: PlanOptions,
): boolean {
  if (!again || !isGlobal(file)) return again;
  return isBehindTables(file) ? againOfDatabase.behind : againOfDatabase.before;
}

/** Returns true for a missing schema that files were applied to. Apply refuses to create it again. */
export function isGone(schema: string, { schemas, history }: TargetState): boolean {
  const isApplied = ({ entry, schemas: of }: HistoryGroup) =>
    entry.appliedChecksum !== null && of.includes(schema);
  return !schemas.has(schema) && history.entries.some(isApplied);
}

/** Returns the files of a step, once for each schema. */
export function filesOf(step: ApplyStep): readonly MigrationFile[] {
  return step.kind === 'database' ? step.files : step.runs.flatMap(({ files }) => files);
}

/**
 * Refuses statements of hand-written files that cannot run as the files ask, or that would leave the connection
 * waiting.
 */
function refuseStatements(steps: readonly ApplyStep[]): void {
  const byUsers = [...new Set(steps.flatMap(filesOf))].filter(isUserFile);
  const commands = byUsers.flatMap(({ path, text }) => {
    const command = findClientCommand(text);
    return command ? [{ path, ...command }] : [];
  });
  if (commands.length > 0) throw new ClientCommandError(commands);
  const several = byUsers.filter(
    (file) => isWithoutTransaction(file) && splitStatements(file.text).length > 1,
  );
  if (several.length > 0) throw new SeveralStatementsError(several.map(({ path }) => path));
}

/** Lists the selected schemas: tenants of this environment, and literal schemas of tables. */
export function listSchemas(
  { files }: Pick<Migrations, 'files'>,
  { tenants, only, among }: PlanOptions,
): readonly string[] {
  const literal = files.flatMap(({ schema }) => schema ?? []);
  const schemas = [...new Set([...literal, ...tenants])];
  for (const schema of schemas) {
    const problem = schemaNameProblem(schema);
    if (problem !== undefined) throw new UnsafeSchemaNameError(problem);
  }
  return schemas.filter(
    (schema) => matchesAny(schema, only) && (among === undefined || among.includes(schema)),
  );
}

/** Splits files into runs for the database and runs for schemas. */
function splitSteps(files: readonly MigrationFile[]): readonly (readonly MigrationFile[])[] {
  const steps: MigrationFile[][] = [];
  for (const file of files) {
    const last = steps.at(-1);
    if (last && isGlobal(last[0]!) === isGlobal(file)) last.push(file);
    else steps.push([file]);
  }
  return steps;
}

type IsToDo = (file: MigrationFile, schema: string) => boolean;

/**
 * Plans files of the whole database. Schemas and infrastructure share a transaction, because the history table is in
 * the infrastructure. Each hand-written file has its own. The file of schemas is applied whenever a schema is missing
 * or the role may not use one.
 */
function planDatabase(
  files: readonly MigrationFile[],
  isToDo: IsToDo,
  schemas: SchemaWork,
): readonly ApplyStep[] {
  const toDo = files.filter((file) => isToDo(file, WHOLE_DATABASE));
  const byUsers = toDo
    .filter(isUserFile)
    .map((file): ApplyStep => ({ kind: 'database', schemas: NO_SCHEMAS, files: [file] }));
  const creating = files.find(({ category }) => category === 'schemas');
  const first = files.filter(
    (file) =>
      !isUserFile(file) &&
      (toDo.includes(file) || (file === creating && schemas.grants.length > 0)),
  );
  if (first.length === 0) return byUsers;
  const work = creating && first.includes(creating) ? schemas : NO_SCHEMAS;
  return [{ kind: 'database', schemas: work, files: first }, ...byUsers];
}

function planSchemas(
  files: readonly MigrationFile[],
  isToDo: IsToDo,
  runsOf: (files: readonly MigrationFile[]) => readonly SchemaRun[],
): readonly ApplyStep[] {
  const runs = runsOf(files)
    .map((run) => ({ ...run, files: run.files.filter((file) => isToDo(file, run.schema)) }))
    .filter((run) => run.files.length > 0);
  return runs.length > 0 ? [{ kind: 'schemas', runs }] : [];
}
