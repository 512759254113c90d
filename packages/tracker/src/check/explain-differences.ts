import { quoteIdentifier } from '@cdc-migrations/sql-text';
import { buildObjectNames, classifyTypeChange } from '@cdc-migrations/table-defs';
import type { LocatedTable } from './compare-relations.ts';
import type { Difference, Repair } from './difference.ts';
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
  found: { readonly places: readonly LocatedTable[]; readonly groups: readonly RelationGroup[] },
): readonly Difference[] {
  const key = (schema: string, name: string) => `${schema}\0${name}`;
  const wanted = new Map(
    found.places.flatMap(({ schema, table, relations }) =>
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
  const paths = new Map(files.map((file) => [fileKey(file), file.path]));
  return differences.map((difference) => {
    const location = wanted.get(key(difference.schema, difference.name));
    if (!location || difference.kind === 'extra') return difference;
    const category = difference.name === location.table.name ? 'tables' : 'staging';
    const group = groups.get(key(difference.schema, difference.name));
    const origin = paths.get(fileKey({ category, table: location.table }));
    const repair =
      group && category === 'tables' ? repairTable(difference, location, group) : undefined;
    return { ...difference, ...(origin && { origin }), repair: repair ?? APPLY_AGAIN };
  });
}

function fileKey({ category, table }: Pick<MigrationFile, 'category' | 'table'>): string {
  return `${category}\0${table?.set}\0${table?.service}\0${JSON.stringify(table?.schema)}\0${table?.name}`;
}

/** Returns the repair of a table. Changes that an apply would refuse or skip have their own SQL. */
function repairTable(
  { kind, schema, name, message }: Difference,
  {
    relation,
    table: definition,
  }: Pick<LocatedTable, 'table'> & { readonly relation: LocatedTable['relations'][number] },
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
  const unsafe = relation.columns.find((column) => {
    const type = types.get(column.name);
    return (
      type !== undefined &&
      message.startsWith(`column "${column.name}" is ${type}, `) &&
      classifyTypeChange(type, column.type) === 'unsafe'
    );
  });
  return (
    unsafe && {
      kind: 'sql',
      statement: `ALTER TABLE ${table} ALTER COLUMN ${quoteIdentifier(unsafe.name)} TYPE ${unsafe.type}`,
    }
  );
}

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
      repair: { kind: 'sql', statement: row.statement },
    };
  });
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
  SELECT pg_catalog.format('column "%s"', attname),
    pg_catalog.format('ALTER TABLE %s DROP COLUMN %I', relation.oid::regclass, attname)
  FROM pg_catalog.pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
  UNION ALL
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
