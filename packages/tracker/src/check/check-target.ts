import { buildRoutines, MANAGEMENT_SCHEMA, partitioningEntry } from '@cdc-migrations/table-defs';
import { compareRelations, locateTables, type LocatedTable } from './compare-relations.ts';
import { quoteIdentifier } from '@cdc-migrations/sql-text';
import type { Difference, Repair } from './difference.ts';
import { APPLY_AGAIN, explainExtra, explainRelations } from './explain-differences.ts';
import { expandSchema } from '../apply/file-transaction.ts';
import { FOREIGN_DEPENDENCIES, ofSchemas, type ForeignObject } from '../session/foreign-objects.ts';
import { jsonLiteral } from '../session/json-literal.ts';
import {
  findLeftovers,
  readKnownTables,
  type KnownTable,
  type Leftover,
} from '../tables/known-tables.ts';
import { matchesAny } from '../tables/match-names.ts';
import { belongsTo, type MigrationFile, type Migrations } from '../migrations/migrations.ts';
import { isGone, listSchemas, type PlanOptions } from '../apply/plan-apply.ts';
import { schemaIsGone } from '../apply/run-steps.ts';
import { fileState, TO_APPLY } from '../history/file-state.ts';
import { readTarget } from '../history/read-target.ts';
import { readConcerns } from '../status/read-concerns.ts';
import { readIfThere } from '../session/read-if-there.ts';
import {
  readCreatedObjectDifferences,
  readCreatedUserObjects,
  type CreatedObjectDifference,
  type CreatedUserObject,
} from './read-created-objects.ts';
import { readStructure, type RelationGroup } from './read-structure.ts';
import type { Session } from '../session/session.ts';

const NOT_MADE = 'not created by apply';

/** Options of a check. */
export interface CheckOptions extends PlanOptions {
  /** Globs over `<schema>.<name>` of objects that are not reported. */
  readonly exclude?: readonly string[] | undefined;
}

/**
 * Compares a target with the definitions, in order of schema and name. Reads only, in one round trip: a query for
 * relations, one for routines, one for notes of columns, and the checks of existing tables.
 */
export async function checkTarget(
  session: Session,
  migrations: Migrations,
  options: CheckOptions,
): Promise<readonly Difference[]> {
  const schemas = listSchemas(migrations, options);
  const locations = locateTables(migrations, schemas, options.tenants);
  const tenants = schemas.filter((schema) => options.tenants.includes(schema));
  const literal = locations.filter(({ schema }) => !tenants.includes(schema));
  // Read first, because the first read of a session checks owners.
  const state = await readTarget(session, migrations);
  const [
    dependencies,
    groups,
    made,
    concerns,
    validation,
    registrations,
    known,
    retired,
    byUsers,
    partitions,
  ] = await Promise.all([
    session.query<ForeignObject>(FOREIGN_DEPENDENCIES),
    readStructure(session, {
      schemas: tenants,
      tables: literal.flatMap(({ schema, relations }) =>
        relations.map(({ name }) => ({ schema, name })),
      ),
      role: migrations.role,
    }),
    readIfThere(() =>
      readCreatedObjectDifferences(session, migrations, {
        schemas: tenants,
        routines: literal.flatMap(({ schema, table }) =>
          Object.values(buildRoutines(table)).map(({ name }) => ({ schema, name })),
        ),
      }),
    ),
    readConcerns(session),
    readIfThere(() => readValidation(session, migrations, options)),
    readIfThere(() => readRegistrations(session, schemas)),
    readKnownTables(session),
    readIfThere(() => session.read<Registration>(RETIRED)),
    readIfThere(() => readCreatedUserObjects(session, migrations, schemas)),
    readIfThere(() => readPartitions(session, locations)),
  ]);
  const differences = [
    ...(made && validation ? [] : [missingBookkeeping()]),
    ...ofSchemas(state.foreign, migrations, schemas, options.tenants).map(describeForeign),
    ...dependencies.map(describeForeign),
    ...findLeftovers(known ?? [], migrations, options).map(describeLeftover),
    ...explainRelations(compareRelations(locations, groups, concerns.columns), migrations, {
      locations,
      groups,
      isPending: (file, schema) =>
        TO_APPLY.has(fileState(file, state.history.find(file, schema), state.history)),
    }).filter(
      ({ kind, schema, name }) =>
        kind !== 'extra' || !retired?.some((one) => one.schema === schema && one.table === name),
    ),
    ...compareRegistrations(locations, groups, registrations ?? []),
    ...(made ?? []).map((one) => describeCreated(migrations, one)),
    ...(partitions ?? []).map((one) => describePartition(one, migrations)),
    ...(validation ?? []),
  ];
  const gone = schemas.filter((schema) => isGone(schema, state));
  const shown = [
    ...gone.map((schema) => describeGone(schema, known ?? [])),
    ...differences.filter(isNotOf(byUsers ?? [], migrations)),
    ...compareRepeatable(migrations, byUsers ?? [], { groups, made: made ?? [], schemas: tenants }),
  ].filter(
    ({ schema, name }) =>
      (name === '' || !gone.includes(schema)) &&
      (!options.exclude || !matchesAny(`${schema}.${name}`, options.exclude)),
  );
  const explained = await explainExtra(session, shown, {
    known: known ?? [],
    byUsers: byUsers ?? [],
  });
  return explained.toSorted(
    (a, b) => compareText(a.schema, b.schema) || compareText(a.name, b.name),
  );
}

/** Messages about whole extra objects, not parts of our tables. */
const WHOLE: ReadonlySet<string> = new Set(['table', 'view', 'other', NOT_MADE]);

/**
 * Keeps the differences that are not objects of files of users. An object of a repeatable file that the set no longer
 * has is extra, because nothing updates it.
 */
function isNotOf(
  byUsers: readonly CreatedUserObject[],
  { files }: Migrations,
): (difference: Difference) => boolean {
  const key = (...parts: readonly string[]) => parts.join('\0');
  const repeatable = new Set(
    files.filter(({ category }) => category === 'repeatable').map(({ name }) => name),
  );
  const known = new Set(
    byUsers
      .filter(({ category, fileName }) => category !== 'repeatable' || repeatable.has(fileName))
      .map(({ schema, kind, name, part }) =>
        key(schema, name, part === '' ? '' : `${kind} "${part}"`),
      ),
  );
  return ({ kind, schema, name, message }) =>
    kind !== 'extra' || !known.has(key(schema, name, WHOLE.has(message) ? '' : message));
}

/** Lists objects of `repeatable/` files that are missing now. */
function compareRepeatable(
  { files }: Migrations,
  byUsers: readonly CreatedUserObject[],
  found: {
    readonly groups: readonly RelationGroup[];
    readonly made: readonly CreatedObjectDifference[];
    readonly schemas: readonly string[];
  },
): readonly Difference[] {
  const key = (schema: string, name: string) => `${schema}\0${name}`;
  const there = new Set([
    ...found.groups.flatMap(({ name, schemas }) => schemas.map((schema) => key(schema, name))),
    ...found.made.map(({ schema, name }) => key(schema, name)),
  ]);
  const listed = new Set(
    files.filter(({ category }) => category === 'repeatable').map(({ name }) => name),
  );
  return byUsers
    .filter(
      ({ category, fileName, kind, schema, name }) =>
        category === 'repeatable' &&
        listed.has(fileName) &&
        (kind === 'view' || kind === 'routine') &&
        found.schemas.includes(schema) &&
        !there.has(key(schema, name)),
    )
    .map(({ schema, name, kind, file }) => ({
      kind: 'missing',
      schema,
      name,
      message: `${kind}, which ${file} made`,
      origin: file,
      repair: APPLY_AGAIN,
    }));
}

interface PartitionDifference {
  readonly schema: string;
  readonly table: string;
  /** Null if the table as a whole is different. */
  readonly partition: string | null;
  readonly state: 'missing' | 'renamed' | 'different';
  readonly detail: string;
  readonly currentName: string | null;
}

/** Compares declared partitions with those of the target. Other partitions of a table are left out. */
async function readPartitions(
  session: Session,
  locations: readonly LocatedTable[],
): Promise<readonly PartitionDifference[]> {
  const declared = locations.flatMap(({ schema, table: { name, partitionBy } }) =>
    partitionBy ? [{ schema, table: name, declared: partitioningEntry(partitionBy) }] : [],
  );
  if (declared.length === 0) return [];
  return session.read<PartitionDifference>(`SELECT entry.schema, entry."table", step.partition_name AS partition, step.state,
  step.detail, step.current_name AS "currentName"
FROM pg_catalog.jsonb_to_recordset(${jsonLiteral(declared)}) AS entry (schema text, "table" text, declared text)
CROSS JOIN LATERAL cdc_management.partition_differences(entry.schema, entry."table", entry.declared::jsonb) AS step`);
}

function describePartition(
  { schema, table, partition, state, detail, currentName }: PartitionDifference,
  { files }: Migrations,
): Difference {
  const origin = files.find(
    (file) => file.category === 'tables' && file.table?.name === table,
  )?.path;
  const label = partition === null ? '' : `partition "${partition}"`;
  const messages = {
    missing: `${label} ${detail}`,
    renamed: `${label} is called "${currentName}"`,
    different: partition === null ? detail : `${label} ${detail}`,
  };
  return {
    kind: state === 'missing' ? 'missing' : 'different',
    ...{ schema, name: table, message: messages[state] },
    ...(origin !== undefined && { origin }),
    ...(state !== 'different' && { repair: APPLY_AGAIN }),
  };
}

interface Registration {
  readonly schema: string;
  readonly table: string;
}

async function readRegistrations(
  session: Session,
  schemas: readonly string[],
): Promise<readonly Registration[]> {
  return session.read<Registration>(`SELECT schema_name AS schema, table_name AS table
FROM cdc_management.merge_control
WHERE schema_name IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(schemas)}))`);
}

/** Reports existing staging tables that no merge reads. */
function compareRegistrations(
  locations: readonly LocatedTable[],
  groups: readonly RelationGroup[],
  registrations: readonly Registration[],
): readonly Difference[] {
  const key = (schema: string, name: string) => `${schema}\0${name}`;
  const known = new Set(registrations.map(({ schema, table }) => key(schema, table)));
  const present = new Set(
    groups.flatMap(({ name, schemas }) => schemas.map((schema) => key(schema, name))),
  );
  return locations
    .filter(
      ({ schema, table: { name, names } }) =>
        present.has(key(schema, names.staging)) && !known.has(key(schema, name)),
    )
    .map(({ schema, table: { names } }) => ({
      kind: 'missing',
      schema,
      name: names.staging,
      message: 'its registration for merges',
      repair: APPLY_AGAIN,
    }));
}

/** Final tables that stay although nothing is merged into them any more. */
const RETIRED =
  'SELECT schema_name AS schema, table_name AS table FROM cdc_management.retired_table';

function describeLeftover({ schema, table, message }: Leftover): Difference {
  return { kind: 'extra', schema, name: table ?? '', message };
}

/** Describes a missing schema by one difference, because the files of its tables would be refused. */
function describeGone(schema: string, known: readonly KnownTable[]): Difference {
  const { message, hint } = schemaIsGone(schema);
  const now = known.find((one) => one.schema === schema && one.now && one.now.schema !== schema);
  const back = now
    ? `ALTER SCHEMA ${quoteIdentifier(now.now!.schema)} RENAME TO ${quoteIdentifier(schema)}`
    : undefined;
  return {
    ...{ kind: 'missing', schema, name: '', message },
    repair:
      back === undefined ? { kind: 'advice', advice: hint! } : { kind: 'sql', statement: back },
  };
}

function missingBookkeeping(): Difference {
  return {
    ...{ kind: 'missing', schema: MANAGEMENT_SCHEMA, name: '', message: 'the bookkeeping' },
    repair: APPLY_AGAIN,
  };
}

function describeForeign({ schema, name, message }: ForeignObject): Difference {
  return { kind: 'different', schema, name: name ?? '', message };
}

function describeCreated(
  { files, role }: Pick<Migrations, 'files' | 'role'>,
  { schema, name, recorded, found }: CreatedObjectDifference,
): Difference {
  const origin = files.find(({ category, table }) =>
    schema === MANAGEMENT_SCHEMA
      ? category === 'infrastructure'
      : category === 'staging' && isOfStaging(table, name),
  )?.path;
  const difference = (kind: Difference['kind'], message: string, repair = APPLY_AGAIN) => ({
    ...{ kind, schema, name, message },
    ...(origin !== undefined && { origin }),
    repair,
  });
  if (!found) return difference('missing', 'created by apply');
  if (!recorded) return { kind: 'extra', schema, name, message: NOT_MADE };
  if (found.digest !== recorded.digest)
    return difference('different', 'was changed after the apply');
  if (found.role !== recorded.role) {
    if (!found.role) return difference('missing', 'the privilege of the role to use it');
    return difference('extra', 'the privilege of the role to use it', revoke(schema, name, role));
  }
  return difference(found.public ? 'extra' : 'missing', 'the privilege of PUBLIC to use it');
}

/** Builds the repair for a hand-granted privilege. */
function revoke(schema: string, name: string, role: string): Repair {
  const [, kind, object, args] = /^(\w+) ([^(]+)(.*)$/su.exec(name)!;
  const location = `${quoteIdentifier(schema)}.${quoteIdentifier(object!)}`;
  const what =
    kind === 'routine' ? `EXECUTE ON ROUTINE ${location}${args}` : `SELECT ON ${location}`;
  return { kind: 'sql', statement: `REVOKE ${what} FROM ${quoteIdentifier(role)}` };
}

function isOfStaging(table: MigrationFile['table'], name: string): boolean {
  if (!table) return false;
  return (
    name === `registration ${table.name}` ||
    Object.values(buildRoutines(table)).some((routine) =>
      name.startsWith(`routine ${routine.name}(`),
    )
  );
}

interface ValidationRow {
  readonly schema_name: string;
  readonly table_name: string;
  readonly column_name: string | null;
  readonly problem: string;
}

/** Runs the checks of existing tables. */
async function readValidation(
  session: Session,
  { set, validation }: Migrations,
  options: PlanOptions,
): Promise<readonly Difference[]> {
  const tenants = new Set(options.tenants);
  const schemas = listSchemas({ files: validation }, options);
  const texts = validation.flatMap((file) =>
    schemas
      .filter((schema) => belongsTo(file, schema, { set, tenants }))
      .map((schema) => expandSchema({ file, schema })),
  );
  if (texts.length === 0) return [];
  const results = await session.readEach<ValidationRow>(texts.join('\n;\n'));
  return results
    .flat()
    .map(({ schema_name: schema, table_name: name, column_name: column, problem }) => ({
      kind: 'different',
      schema,
      name,
      message: column === null ? problem : `column "${column}": ${problem}`,
    }));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
