import { checksumOf } from '@cdc-migrations/generated-file';
import { MANAGEMENT_SCHEMA, type Category } from '@cdc-migrations/table-defs';
import { locateTables } from '../check/compare-relations.ts';
import {
  isBehindTables,
  WHOLE_DATABASE,
  type MigrationFile,
  type Migrations,
} from '../migrations/migrations.ts';
import { listSchemas, type ApplyPlan, type ApplyStep, type PlanOptions } from './plan-apply.ts';
import { readStructure, type RelationGroup } from '../check/read-structure.ts';
import type { Session } from '../session/session.ts';

/** Part of a plan file about one target that is compared with the target when the plan runs. */
export interface PlannedTarget {
  /** Files of the whole database. */
  readonly database: readonly PlannedFile[];
  readonly schemas: readonly PlannedSchema[];
}

/** A schema with pending files. */
export interface PlannedSchema {
  readonly schema: string;
  /** Checksum over the structure of all relations of the schema. */
  readonly structure: string;
  readonly files: readonly PlannedFile[];
}

/** A file in a plan file. */
export interface PlannedFile {
  /** Path relative to the folder of the set. */
  readonly path: string;
  readonly checksum: string;
  /** Checksum over the structure of the table that the file changes. */
  readonly structure?: string;
}

/** A schema in which nothing of a plan runs, because something has changed since the plan was written. */
export interface StaleSchema {
  /** Empty for the whole database. */
  readonly schema: string;
  readonly reasons: readonly string[];
}

/** Part of a plan file that still holds. */
export interface NarrowedPlan {
  readonly plan: ApplyPlan;
  readonly stale: readonly StaleSchema[];
}

/** Structure of the relations of schemas. */
export interface Structures {
  /** Returns a checksum over all relations of a schema. */
  readonly ofSchema: (schema: string) => string;
  /** Returns a relation and its checksum, or undefined if it does not exist. */
  readonly find: (
    schema: string,
    name: string,
  ) => { readonly relation: RelationGroup; readonly checksum: string } | undefined;
}

/** Reads the structure of all relations in tenants' schemas, and of our tables in the other schemas. */
export async function readStructures(
  session: Session,
  migrations: Migrations,
  options: PlanOptions,
): Promise<Structures> {
  const schemas = listSchemas(migrations, options);
  const literal = schemas.filter((schema) => !options.tenants.includes(schema));
  const groups = await readStructure(session, {
    schemas: schemas.filter((schema) => options.tenants.includes(schema)),
    tables: locateTables(migrations, literal, options.tenants).flatMap(({ schema, relations }) =>
      relations.map(({ name }) => ({ schema, name })),
    ),
    role: migrations.role,
  });
  return indexStructures(groups);
}

function indexStructures(groups: readonly RelationGroup[]): Structures {
  const bySchema = new Map<string, Map<string, { relation: RelationGroup; checksum: string }>>();
  for (const relation of groups) {
    const { schemas, ...structure } = relation;
    const checksum = checksumOf(JSON.stringify(structure));
    for (const schema of schemas) {
      const own = bySchema.get(schema) ?? new Map();
      bySchema.set(schema, own.set(relation.name, { relation, checksum }));
    }
  }
  return {
    ofSchema: (schema) =>
      checksumOf(
        [...(bySchema.get(schema) ?? [])]
          .map(([name, { checksum }]) => `${JSON.stringify(name)} ${checksum}\n`)
          .toSorted()
          .join(''),
      ),
    find: (schema, name) => bySchema.get(schema)?.get(name),
  };
}

/** Returns the relation that a file changes, or undefined for a file that belongs to no table. */
export function relationOf({ category, table }: MigrationFile): string | undefined {
  const names: Partial<Record<Category, string>> = table
    ? { tables: table.name, staging: table.names.staging }
    : {};
  return names[category];
}

/**
 * Reduces the pending work to that of a plan file, in schemas that are unchanged since it was written. Files that were
 * applied since are no difference, so an interrupted plan continues.
 */
export function narrowPlan(
  now: ApplyPlan,
  planned: PlannedTarget,
  structures: Structures,
  options: PlanOptions,
): NarrowedPlan {
  const { migrations } = now;
  const open = openFiles(now);
  const database = now.steps.flatMap((step) => (step.kind === 'database' ? step.files : []));
  const changed = differences(
    migrations,
    database.filter(({ category }) => category !== 'schemas'),
    planned.database.filter(({ path }) => !isCreating(migrations, path)),
  );
  if (changed.length > 0) {
    const stale = [{ schema: WHOLE_DATABASE, reasons: changed }];
    return { plan: { ...now, steps: [], schemas: [] }, stale };
  }
  const wanted = new Set(listSchemas(migrations, options));
  const known = new Set(listSchemas(migrations, { tenants: options.tenants }));
  const inScope = planned.schemas.filter(({ schema }) => wanted.has(schema) || !known.has(schema));
  const names = new Set(inScope.map(({ schema }) => schema));
  const stale: StaleSchema[] = [];
  for (const one of inScope) {
    const reasons = known.has(one.schema)
      ? reasonsOf(one, open.get(one.schema) ?? [], migrations, structures)
      : ['is not part of this environment any more'];
    if (reasons.length > 0) stale.push({ schema: one.schema, reasons });
  }
  for (const schema of open.keys())
    if (!names.has(schema)) stale.push({ schema, reasons: ['is not in the plan'] });
  const left = new Set(stale.map(({ schema }) => schema));
  const runs = (schema: string) => names.has(schema) && !left.has(schema);
  return { plan: keep(now, runs, stale.length > 0, planned), stale };
}

/** Returns pending files by schema. */
function openFiles({ steps }: ApplyPlan): ReadonlyMap<string, readonly MigrationFile[]> {
  const open = new Map<string, MigrationFile[]>();
  for (const step of steps) {
    if (step.kind === 'database') continue;
    for (const { schema, files } of step.runs) {
      open.set(schema, [...(open.get(schema) ?? []), ...files]);
    }
  }
  return open;
}

/**
 * Returns true for a file that creates schemas. The schemas of the plan decide, not the other customers in the file.
 */
function isCreating({ files }: Migrations, path: string): boolean {
  return files.some((file) => file.path === path && file.category === 'schemas');
}

function differences(
  { files }: Migrations,
  open: readonly MigrationFile[],
  planned: readonly PlannedFile[],
): readonly string[] {
  const before = new Map(planned.map(({ path, checksum }) => [path, checksum]));
  const there = new Set(files.map(({ path }) => path));
  return [
    ...open.flatMap(({ path, checksum }) => {
      if (!before.has(path)) return [`${path}: is pending and not in the plan`];
      return before.get(path) === checksum ? [] : [`${path}: the file has changed since the plan`];
    }),
    ...planned
      .filter(({ path }) => !there.has(path))
      .map(({ path }) => `${path}: the file was removed since the plan`),
  ];
}

function reasonsOf(
  { schema, structure, files }: PlannedSchema,
  open: readonly MigrationFile[],
  migrations: Migrations,
  structures: Structures,
): readonly string[] {
  const reasons = differences(migrations, open, files);
  if (open.length === 0 || reasons.length > 0) return reasons;
  const planned = new Map(files.map((file) => [file.path, file]));
  const changed = open.flatMap((file) => {
    const name = relationOf(file);
    if (name === undefined) return [];
    const found = structures.find(schema, name)?.checksum;
    return found === planned.get(file.path)!.structure
      ? []
      : [`${name}: its structure has changed since the plan`];
  });
  // Files of the plan that were applied since have changed the rest of the schema.
  const isWhole = open.length === files.length;
  if (changed.length > 0 || !isWhole || structures.ofSchema(schema) === structure) return changed;
  return ['the structure of other tables or views has changed since the plan'];
}

function keep(
  now: ApplyPlan,
  runs: (schema: string) => boolean,
  isStale: boolean,
  planned: PlannedTarget,
): ApplyPlan {
  const paths = new Set(planned.database.map(({ path }) => path));
  const steps = now.steps.flatMap((step): ApplyStep[] => {
    if (step.kind === 'schemas') {
      const own = step.runs.filter(({ schema }) => runs(schema));
      return own.length > 0 ? [{ kind: 'schemas', runs: own }] : [];
    }
    const isOurs = (schema: string) => schema === MANAGEMENT_SCHEMA || runs(schema);
    const creates = step.schemas.creates.filter(isOurs);
    const grants = step.schemas.grants.filter(isOurs);
    const files = step.files.filter(
      (file) =>
        !(isStale && isBehindTables(file)) &&
        (paths.has(file.path) || (file.category === 'schemas' && grants.length > 0)),
    );
    return files.length > 0 ? [{ kind: 'database', files, schemas: { creates, grants } }] : [];
  });
  return { ...now, steps, schemas: now.schemas.filter(runs) };
}
