import { quoteIdentifier } from '@cdc-migrations/sql-text';
import { buildObjectNames, classifyTypeChange } from '@cdc-migrations/table-defs';
import type { LocatedTable } from './compare-relations.ts';
import type { Difference, Repair } from './difference.ts';
import { findHandRenames, type HandRename } from './hand-renames.ts';
import { jsonLiteral } from '../session/json-literal.ts';
import type { KnownTable } from '../tables/known-tables.ts';
import type { MigrationFile, Migrations } from '../migrations/migrations.ts';
import type { CreatedUserObject } from './read-created-objects.ts';
import type { RelationGroup } from './read-structure.ts';
import type { Session } from '../session/session.ts';

/** Creates missing objects, and repairs objects of our files. */
export const APPLY_AGAIN: Repair = { kind: 'apply again' };

/** Adds to differences of tables the file that creates the object, and the repair. */
export function explainRelations(
  differences: readonly Difference[],
  { files }: Pick<Migrations, 'files'>,
  found: {
    readonly locations: readonly LocatedTable[];
    readonly groups: readonly RelationGroup[];
    readonly isPending: (file: MigrationFile, schema: string) => boolean;
  },
): readonly Difference[] {
  const key = (schema: string, name: string) => `${schema}\0${name}`;
  const wanted = new Map(
    found.locations.flatMap(({ schema, table, relations }) =>
      relations.map(
        (relation) => [key(schema, relation.name), { schema, table, relation }] as const,
      ),
    ),
  );
  const groups = new Map(
    found.groups.flatMap((group) =>
      group.schemas.map((schema) => [key(schema, group.name), group] as const),
    ),
  );
  const byKey = new Map(files.map((file) => [fileKey(file), file]));
  const relations = new Map<string, Difference[]>();
  for (const difference of differences) {
    const at = key(difference.schema, difference.name);
    relations.set(at, [...(relations.get(at) ?? []), difference]);
  }
  return [...relations].flatMap(([at, own]) => {
    const location = wanted.get(at);
    if (!location) return own;
    const group = groups.get(at);
    const { schema, name } = own[0]!;
    const category = name === location.table.name ? 'tables' : 'staging';
    const file = byKey.get(fileKey({ category, table: location.table }));
    const isPending = file !== undefined && found.isPending(file, schema);
    const { names } = location.table;
    const other = groups.get(
      key(schema, category === 'tables' ? names.staging : location.table.name),
    );
    const explained = group ? explainColumns(own, { ...location, group, other, isPending }) : own;
    return explained.map((difference) => {
      if (difference.kind === 'extra') return difference;
      const repair =
        difference.repair ??
        (group && category === 'tables'
          ? repairTable(difference, { ...location, isPending }, group)
          : undefined);
      return { ...difference, ...(file && { origin: file.path }), repair: repair ?? APPLY_AGAIN };
    });
  });
}

interface FoundRelation {
  readonly table: LocatedTable['table'];
  readonly relation: LocatedTable['relations'][number];
  readonly group: RelationGroup;
  /** Staging table of a final table, or the reverse. */
  readonly other: RelationGroup | undefined;
  /** True if the file of the relation is to be applied. */
  readonly isPending: boolean;
}

/**
 * Explains columns that have another name, one difference for both names, and columns that are extra. A rename in the
 * YAML is done by apply. A single missing and a single extra column of one type, where no file is pending, are a rename
 * by hand.
 */
function explainColumns(
  differences: readonly Difference[],
  { table, relation, group, other, isPending }: FoundRelation,
): readonly Difference[] {
  const label = (name: string) => `column "${name}"`;
  const wanted = new Set(relation.columns.map(({ name }) => name));
  const present = new Set(group.columns.map(({ name }) => name));
  const formerly = new Map(table.columns.map((column) => [column.name, column.formerly ?? []]));
  const missing = relation.columns.filter(({ name }) => !present.has(name));
  const recorded = missing.flatMap(({ name }) => {
    const old = formerly.get(name)?.find((one) => present.has(one) && !wanted.has(one));
    return old === undefined ? [] : [{ name, old }];
  });
  const isRecorded = (column: string) =>
    recorded.some(({ name, old }) => name === column || old === column);
  const extra = group.columns.filter(
    ({ name }) =>
      !wanted.has(name) &&
      !isRecorded(name) &&
      differences.some(({ kind, message }) => kind === 'extra' && message === label(name)),
  );
  const lost = missing.filter(({ name }) => !isRecorded(name));
  const isOnlyPair =
    !isPending && lost.length === 1 && extra.length === 1 && lost[0]!.type === extra[0]!.type;
  const byHand = isOnlyPair
    ? [{ name: lost[0]!.name, old: extra[0]!.name }]
    : findHandRenames(lost, extra, other?.columns ?? [], { isApplied: !isPending });
  const at = `${quoteIdentifier(differences[0]!.schema)}.${quoteIdentifier(relation.name)}`;
  return differences.flatMap((difference): readonly Difference[] => {
    const { kind, message } = difference;
    if (kind === 'different') return [difference];
    const rename = recorded.find(({ name }) => kind === 'missing' && message === label(name));
    if (rename)
      return [
        {
          ...difference,
          kind: 'different',
          message: `${label(rename.old)} is called "${rename.name}" in the definitions, and apply renames it`,
          repair: isPending ? { kind: 'apply' } : APPLY_AGAIN,
        },
      ];
    if (recorded.some(({ old }) => kind === 'extra' && message === label(old))) return [];
    if (byHand.some(({ name }) => kind === 'missing' && message === label(name))) return [];
    const renamed = byHand.filter(({ old }) => kind === 'extra' && message === label(old));
    if (renamed.length > 0) return [{ ...difference, ...describeHandRename(renamed, at) }];
    if (kind === 'missing' && isPending && lost.some(({ name }) => message === label(name)))
      return [{ ...difference, repair: { kind: 'apply' } }];
    if (kind === 'extra' && extra.some(({ name }) => message === label(name)))
      return [{ ...difference, repair: KEEP_COLUMN }];
    return [difference];
  });
}

/** Describes a column with the definitions that it looks like. */
function describeHandRename(
  renames: readonly HandRename[],
  table: string,
): Pick<Difference, 'kind' | 'message' | 'repair'> {
  const statements = renames.map(
    ({ name, old }) =>
      `ALTER TABLE ${table} RENAME COLUMN ${quoteIdentifier(old)} TO ${quoteIdentifier(name)}`,
  );
  const names = renames.map(({ name }) => `"${name}"`).join(' or ');
  const [statement] = statements;
  return {
    kind: 'different',
    message: `column "${renames[0]!.old}" looks like ${names}, renamed by hand`,
    repair:
      renames.length === 1
        ? { kind: 'sql', statement: statement! }
        : { kind: 'advice', advice: statements.join(' or ') },
  };
}

/** No statement, because one that drops the column would lose its values. */
const KEEP_COLUMN: Repair = {
  kind: 'advice',
  advice: 'apply keeps it; drop it by hand if nobody needs its values',
};

function fileKey({ category, table }: Pick<MigrationFile, 'category' | 'table'>): string {
  return `${category}\0${table?.set}\0${table?.service}\0${JSON.stringify(table?.schema)}\0${table?.name}`;
}

/** Returns the repair of a table. Changes that an apply would refuse or skip have their own SQL. */
function repairTable(
  { kind, schema, name, message }: Difference,
  { relation, table: definition, isPending }: Omit<FoundRelation, 'group' | 'other'>,
  group: RelationGroup,
): Repair | undefined {
  if (kind !== 'different') return undefined;
  const table = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
  if (group.kind === 'view') return { kind: 'apply again', first: `DROP VIEW ${table}` };
  if (group.kind === 'table' && message.startsWith('is unlogged'))
    return { kind: 'sql', statement: `ALTER TABLE ${table} SET LOGGED` };
  /** Returns true for an index that apply creates again by itself. */
  const isDeclared = (index: string) =>
    definition.indexes?.some((declared) => declared.name === index) ?? false;
  for (const index of group.indexes) {
    if (!message.startsWith(`index "${index.name}" `)) continue;
    if (!index.valid && message.endsWith(' is not valid') && isDeclared(index.name)) continue;
    const first = index.primary
      ? `ALTER TABLE ${table} DROP CONSTRAINT ${quoteIdentifier(index.name)}`
      : `DROP INDEX ${quoteIdentifier(schema)}.${quoteIdentifier(index.name)}`;
    return { kind: 'apply again', first };
  }
  const types = new Map(group.columns.map((column) => [column.name, column.type]));
  const retyped = relation.columns.find(({ name: column }) =>
    message.startsWith(`column "${column}" is ${types.get(column)}, `),
  );
  if (!retyped) return undefined;
  if (group.partitionKey.includes(retyped.name))
    return { kind: 'advice', advice: IN_PARTITION_KEY };
  if (classifyTypeChange(types.get(retyped.name)!, retyped.type) !== 'unsafe') return undefined;
  if (isPending) return { kind: 'advice', advice: UNSAFE_CHANGE };
  const column = quoteIdentifier(retyped.name);
  return {
    kind: 'sql',
    warning: 'look at the values first, because this can round, cut or refuse them',
    statement: `ALTER TABLE ${table} ALTER COLUMN ${column} TYPE ${retyped.type} USING ${column}::${retyped.type}`,
  };
}

const UNSAFE_CHANGE =
  'apply refuses it, because values could be lost; cdc manage-migrations diff --base <commit before> --scaffold-manual creates a draft in migrations/manual/';

const IN_PARTITION_KEY =
  'apply refuses it, because PostgreSQL cannot change the type of a column in a partition key; apply --again prints a CALL that rewrites the table: write it into a file in migrations/manual/';

interface Extra extends Pick<Difference, 'schema' | 'name' | 'message'> {
  readonly owner: string | null;
  readonly statement: string;
}

/** Adds to extra objects their creator, if it is known, and the SQL that drops them. */
export async function explainExtra(
  session: Session,
  differences: readonly Difference[],
  from: { readonly known: readonly KnownTable[]; readonly byUsers: readonly CreatedUserObject[] },
): Promise<readonly Difference[]> {
  const extra = differences.filter(({ kind, repair }) => kind === 'extra' && !repair);
  if (extra.length === 0) return differences;
  const key = ({ schema, name, message }: Pick<Difference, 'schema' | 'name' | 'message'>) =>
    [schema, name, message].join('\0');
  const rows = await session.read<Extra>(
    extraQuery(extra.map(({ schema, name, message }) => ({ schema, name, message }))),
  );
  const found = new Map(rows.map((row) => [key(row), row]));
  return differences.map((difference) => {
    const row = found.get(key(difference));
    if (difference.kind !== 'extra' || difference.repair || !row) return difference;
    const { schema, name } = difference;
    const earlier = from.known.find(
      (one) =>
        one.schema === schema && [one.table, buildObjectNames(one.table).staging].includes(name),
    );
    const file = from.byUsers.find(
      (one) =>
        one.schema === schema &&
        one.name === name &&
        (one.part === '' || difference.message === `${one.kind} "${one.part}"`),
    )?.file;
    if (earlier && !file && row.owner !== null) {
      const repair: Repair = { kind: 'command', command: 'retire', table: earlier.table };
      return { ...difference, origin: 'an earlier table of the repo', repair };
    }
    const origin = file
      ? `${file}, which is not in the repo`
      : row.owner !== null
        ? `owner ${row.owner}`
        : undefined;
    return {
      ...difference,
      ...(origin !== undefined && { origin }),
      repair: {
        kind: 'sql',
        statement: row.statement,
        ...(isTable(difference) && { warning: 'this deletes its rows' }),
      },
    };
  });
}

/** Returns true for a whole table, also for one of the bookkeeping. */
function isTable({ name, message }: Pick<Difference, 'name' | 'message'>): boolean {
  return message === 'table' || name.startsWith('table ');
}

/** Builds the query for drop statements of extra objects, and for owners of those that are not part of another. */
function extraQuery(extra: readonly Pick<Difference, 'schema' | 'name' | 'message'>[]): string {
  return `WITH extra AS (
  SELECT extra.*, namespace.oid AS namespace
  FROM pg_catalog.jsonb_to_recordset(${jsonLiteral(extra)}) AS extra (schema text, name text, message text)
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = extra.schema
), relation AS (
  SELECT extra.schema, extra.name, extra.message, relation.oid, relation.relowner, relation.relname
  FROM extra
  JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = extra.namespace
    AND relation.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND extra.name IN (relation.relname, 'view ' || relation.relname, 'table ' || relation.relname, 'sequence ' || relation.relname)
)
SELECT relation.schema, relation.name, relation.message, owner.rolname AS owner,
  pg_catalog.format('DROP %s %s', pg_catalog.upper(known.type), known.identity) AS statement
FROM relation
JOIN pg_catalog.pg_roles AS owner ON owner.oid = relation.relowner
CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_class'::regclass, relation.oid, 0) AS known
WHERE relation.message !~ ' ' OR relation.name <> relation.relname
UNION ALL
SELECT extra.schema, extra.name, extra.message, owner.rolname,
  pg_catalog.format('DROP %s %s', pg_catalog.upper(known.type), known.identity)
FROM extra
JOIN pg_catalog.pg_proc AS routine ON routine.pronamespace = extra.namespace
  AND extra.name = pg_catalog.format('routine %s(%s)', routine.proname, pg_catalog.pg_get_function_identity_arguments(routine.oid))
JOIN pg_catalog.pg_roles AS owner ON owner.oid = routine.proowner
CROSS JOIN LATERAL pg_catalog.pg_identify_object('pg_catalog.pg_proc'::regclass, routine.oid, 0) AS known
UNION ALL
SELECT relation.schema, relation.name, relation.message, NULL, part.statement
FROM relation
CROSS JOIN LATERAL (
  SELECT pg_catalog.format('index "%s"', own.relname), CASE
    WHEN bound.oid IS NULL THEN pg_catalog.format('DROP INDEX %s', own.oid::regclass)
    ELSE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', relation.oid::regclass, bound.conname) END
  FROM pg_catalog.pg_index AS index
  JOIN pg_catalog.pg_class AS own ON own.oid = index.indexrelid
  LEFT JOIN pg_catalog.pg_constraint AS bound ON bound.conindid = own.oid AND bound.conrelid = relation.oid
  WHERE index.indrelid = relation.oid
  UNION ALL
  SELECT pg_catalog.format('trigger "%s"', tgname), pg_catalog.format('DROP TRIGGER %I ON %s', tgname, relation.oid::regclass)
  FROM pg_catalog.pg_trigger WHERE tgrelid = relation.oid AND NOT tgisinternal
  UNION ALL
  SELECT pg_catalog.format('constraint "%s"', conname),
    pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', relation.oid::regclass, conname)
  FROM pg_catalog.pg_constraint WHERE conrelid = relation.oid
) AS part (message, statement)
WHERE part.message = relation.message`;
}
