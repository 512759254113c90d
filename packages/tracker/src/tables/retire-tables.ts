import { quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import { isPassing } from '../apply/apply-file.ts';
import { tryUntil } from '@cdc-migrations/session';
import { locateTables } from '../check/compare-relations.ts';
import { jsonLiteral } from '../session/json-literal.ts';
import { definedTables, readKnownTables } from './known-tables.ts';
import { matchesAny } from './match-names.ts';
import type { Migrations } from '../migrations/migrations.ts';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { listSchemas, type PlanOptions } from '../apply/plan-apply.ts';
import { readIfThere } from '../session/read-if-there.ts';
import { readTarget, refuseStandby } from '../history/read-target.ts';
import { openSession, type Session, type TargetAddress } from '../session/session.ts';
import { undoReads, withLock } from '../session/take-lock.ts';
import { TargetError } from '../session/target-error.ts';

/** Tables to retire: by `<Table>` or `<schema>.<Table>`, or all tables of the schemas of customers. */
export type RetireSelection =
  | { readonly kind: 'table'; readonly names: readonly string[] }
  | { readonly kind: 'customer'; readonly names: readonly string[] };

/** Options and selection of tables to retire. */
export interface RetireOptions extends PlanOptions {
  readonly selection: RetireSelection;
  /** Discards events that are in no final table. */
  readonly discards: boolean;
  /** Only reports what would be retired. */
  readonly isDryRun: boolean;
}

/** Size and content of a table. Null if a relation is missing. */
export interface TableLeft {
  /** Number of rows. It is an estimate for a large table. */
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly staging: string | null;
  readonly staged: number | null;
  readonly deadLetters: number;
  readonly refusedEvents: number;
  readonly rememberedDeletes: number;
  readonly streams: number;
  /** Source databases of its events. */
  readonly sources: readonly string[];
  readonly routines: readonly string[];
}

/** Result for a table that left the configuration. */
export interface RetiredTable {
  readonly schema: string;
  readonly table: string;
  /** `found` means a dry run. `before` means that an earlier run has retired it. */
  readonly outcome: 'retired' | 'before' | 'found' | 'refused' | 'failed' | 'locked';
  /** State before the removal. With `before`, the state when it was retired. */
  readonly left: TableLeft;
  /** Reason why it was not retired. */
  readonly reason: string | null;
}

/** Rows of a customer in a table of several. */
export interface SharedRows {
  readonly schema: string;
  readonly table: string;
  readonly sources: readonly string[];
  readonly rows: number;
}

/** Result for all selected tables. */
export interface RetireResult {
  readonly tables: readonly RetiredTable[];
  readonly shared: readonly SharedRows[];
  /** Selected names in the bookkeeping of this target. */
  readonly found: readonly string[];
  /** SQL that drops the remaining objects. */
  readonly dropSql: string;
}

/** Error: a selected table or customer is still in the configuration. */
export class StillDefinedError extends Error {
  override readonly name = 'StillDefinedError';
}

const LOCK_TIMEOUT_MS = 10_000;
const RETRY_FOR_MS = 60_000;

/**
 * Ends the merges of tables that left the configuration. Drops staging tables, routines, marks and bookkeeping. Keeps
 * final tables and records them as retired. Each table is a transaction, and its bookkeeping is then removed in small
 * ones, so an interrupted run can be repeated.
 *
 * @throws StillDefinedError, NoBookkeepingError, StandbyError, LockNotObtainedError, TargetError
 */
export async function retireTables(
  address: TargetAddress,
  migrations: Migrations,
  options: RetireOptions,
): Promise<RetireResult> {
  const control = openSession(address, 'cdc retire lock');
  const session = openSession(address, 'cdc retire');
  const lock = { timeoutMs: LOCK_TIMEOUT_MS, onWait: () => {} };
  try {
    if (options.isDryRun) return await retire(session, migrations, options);
    return await withLock(control, migrations.set.name, lock, async () => {
      const state = await readTarget(control, migrations);
      await undoReads(control);
      refuseStandby(state);
      return retire(session, migrations, options);
    });
  } finally {
    await Promise.all([control.close(), session.close()]);
  }
}

async function retire(
  session: Session,
  migrations: Migrations,
  options: RetireOptions,
): Promise<RetireResult> {
  const known = await readKnownTables(session);
  if (!known) throw new NoBookkeepingError();
  const noted = await session.read<NotedTable>(NOTED);
  const { selection } = options;
  const isSelected = ({ schema, table }: Location) =>
    matchesAny(schema, options.only) &&
    (selection.kind === 'customer'
      ? selection.names.includes(schema)
      : selection.names.some((name) => name === table || name === `${schema}.${table}`));
  const selected = known.filter(isSelected);
  refuseDefined(selected, migrations, options);
  const isKnown = new Set(selected.map(keyOf));
  const before = noted.filter((one) => isSelected(one) && !isKnown.has(keyOf(one)));
  const facts = await readLeft(session, selected);
  const sources = unique([
    ...[...facts.values()].flatMap((left) => left.sources),
    ...noted.filter(isSelected).flatMap(({ receipt }) => receipt.sources),
  ]);
  const shared =
    selection.kind === 'customer'
      ? await readShared(session, { migrations, options, sources })
      : [];
  const tables: RetiredTable[] = [];
  for (const location of selected) {
    const left = facts.get(keyOf(location))!;
    const outcome = options.isDryRun
      ? ({ outcome: 'found', reason: null } as const)
      : await retireOne(session, location, options.discards);
    tables.push({ schema: location.schema, table: location.table, left, ...outcome });
  }
  tables.push(
    ...before.map(({ schema, table, receipt }): RetiredTable => ({
      ...{ schema, table, left: receipt },
      ...{ outcome: 'before', reason: null },
    })),
  );
  const isDone = tables.every(({ outcome }) => outcome === 'retired' || outcome === 'before');
  if (selection.kind === 'customer' && isDone && !options.isDryRun) {
    for (const schema of selection.names.filter((name) => matchesAny(name, options.only))) {
      const list = sharedSources(shared);
      if (list.length > 0) {
        await session.write(
          `CALL cdc_management.clean_up_sources(${quoteLiteral(schema)}, ARRAY[${list.map(quoteLiteral).join(', ')}]::text[])`,
        );
      }
      await session.execute(`CALL cdc_management.clean_up_schema(${quoteLiteral(schema)})`);
    }
  }
  const found = selection.names.filter((name) =>
    tables.some(({ schema, table }) => [schema, table, `${schema}.${table}`].includes(name)),
  );
  return {
    tables,
    shared,
    found,
    dropSql: await buildDrop(session, migrations, selection, tables, shared),
  };
}

interface Location {
  readonly schema: string;
  readonly table: string;
}

interface NotedTable extends Location {
  readonly receipt: TableLeft;
}

const NOTED = `SELECT schema_name AS schema, table_name AS table, receipt
FROM cdc_management.retired_table
ORDER BY schema_name COLLATE "C", table_name COLLATE "C"`;

function keyOf({ schema, table }: Location): string {
  return `${schema}\0${table}`;
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

function refuseDefined(
  selected: readonly Location[],
  migrations: Migrations,
  options: RetireOptions,
): void {
  const { selection } = options;
  const tenants = options.knownTenants ?? options.tenants;
  const isDefined = definedTables(migrations, options);
  const messages =
    selection.kind === 'customer'
      ? selection.names
          .filter((name) => tenants.includes(name))
          .map((name) => `customer ${name} is in source-groups.yaml: remove it`)
      : selected
          .filter(({ schema, table }) => isDefined(schema, table))
          .map(({ schema, table }) => `table ${schema}.${table} is in services/: remove it`);
  if (messages.length === 0) return;
  throw new StillDefinedError(`${messages.join('\n')}, generate, then retire it`);
}

async function readLeft(
  session: Session,
  locations: readonly Location[],
): Promise<ReadonlyMap<string, TableLeft>> {
  const rows = await session.read<Location & { readonly left: TableLeft }>(
    `SELECT entry ->> 'schema' AS schema, entry ->> 'table' AS table,
  cdc_management.left_of_table(entry ->> 'schema', entry ->> 'table') AS left
FROM pg_catalog.jsonb_array_elements(${jsonLiteral(locations.map(({ schema, table }) => ({ schema, table })))}) AS entry`,
  );
  return new Map(rows.map(({ left, ...place }) => [keyOf(place), left]));
}

/**
 * Reads rows of source databases in tables of literal schemas, for databases that feed the schema of no other tenant.
 */
async function readShared(
  session: Session,
  {
    migrations,
    options,
    sources,
  }: {
    readonly migrations: Migrations;
    readonly options: RetireOptions;
    readonly sources: readonly string[];
  },
): Promise<readonly SharedRows[]> {
  const tenants = options.knownTenants ?? options.tenants;
  const [others] = await session.read<{ readonly sources: readonly string[] }>(
    `SELECT coalesce(pg_catalog.jsonb_agg(DISTINCT source_db) FILTER (WHERE source_db IS NOT NULL), '[]') AS sources
FROM cdc_management.stream_coverage
WHERE schema_name IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(tenants)}))`,
  );
  const own = sources.filter((one) => !others!.sources.includes(one));
  if (own.length === 0) return [];
  const locations = locateTables(migrations, listSchemas(migrations, { tenants }), tenants).filter(
    ({ schema }) => !tenants.includes(schema),
  );
  const present = await session.read<Location>(`SELECT place.schema, place.table
FROM pg_catalog.jsonb_to_recordset(${jsonLiteral(locations.map(({ schema, table: { name } }) => ({ schema, table: name })))})
  AS place (schema text, "table" text)
WHERE pg_catalog.to_regclass(pg_catalog.format('%I.%I', place.schema, place.table)) IS NOT NULL
ORDER BY place.schema COLLATE "C", place.table COLLATE "C"`);
  const shared: SharedRows[] = [];
  for (const { schema, table } of present) {
    const [row] = await session.read<{ readonly rows: number }>(
      `SELECT pg_catalog.count(*)::double precision AS rows FROM ${quoteQualified(schema, table)} WHERE ${ofSources(own)}`,
    );
    if (row!.rows > 0) shared.push({ schema, table, sources: own, rows: row!.rows });
  }
  return shared;
}

function ofSources(sources: readonly string[]): string {
  return `"__source_db" IN (${sources.map(quoteLiteral).join(', ')})`;
}

function sharedSources(shared: readonly SharedRows[]): readonly string[] {
  return unique(shared.flatMap(({ sources }) => sources));
}

/** SQLSTATE of `cdc_management.retire_table` while events are in no final table. */
const REFUSED = 'CD005';

async function retireOne(
  session: Session,
  { schema, table }: Location,
  discards: boolean,
): Promise<Pick<RetiredTable, 'outcome' | 'reason'>> {
  const location = `${quoteLiteral(schema)}, ${quoteLiteral(table)}`;
  try {
    const isDone = await tryUntil(RETRY_FOR_MS, async () => {
      try {
        await session.write(
          `SET LOCAL lock_timeout = '1s';\nCALL cdc_management.retire_table(${location}, ${discards})`,
        );
        return true;
      } catch (error) {
        if (error instanceof TargetError && isPassing(error)) return undefined;
        throw error;
      }
    });
    if (!isDone) return { outcome: 'locked', reason: 'other sessions have locked its tables' };
    await session.execute(`CALL cdc_management.clean_up_table(${location})`);
    return { outcome: 'retired', reason: null };
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
    const reason = [error.message, error.detail, error.hint].filter(Boolean).join('; ');
    return { outcome: error.code === REFUSED ? 'refused' : 'failed', reason };
  }
}

/**
 * Builds SQL that drops existing final tables, the schemas of customers with everything in them, and rows in shared
 * tables. It does not drop other objects that need a table: PostgreSQL names them and drops nothing.
 */
async function buildDrop(
  session: Session,
  migrations: Pick<Migrations, 'files'>,
  selection: RetireSelection,
  tables: readonly RetiredTable[],
  shared: readonly SharedRows[],
): Promise<string> {
  const [there] = await session.read<{
    readonly tables: readonly string[];
    readonly schemas: readonly string[];
  }>(`SELECT
  (SELECT coalesce(pg_catalog.jsonb_agg(name ORDER BY position), '[]') FROM pg_catalog.jsonb_array_elements_text(${jsonLiteral(tables.map(({ schema, table }) => quoteQualified(schema, table)))})
    WITH ORDINALITY AS one (name, position)
    WHERE pg_catalog.to_regclass(name) IS NOT NULL) AS tables,
  (SELECT coalesce(pg_catalog.jsonb_agg(nspname), '[]') FROM pg_catalog.pg_namespace
    WHERE nspname IN (SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(selection.kind === 'customer' ? selection.names : [])}))) AS schemas`);
  const others = await readIfThere(() =>
    session.read<{ readonly statement: string }>(othersQuery(migrations, selection, there!)),
  );
  return [
    ...(others ?? []).map(({ statement }) => `${statement};\n`),
    ...there!.tables.map((name) => `DROP TABLE ${name};\n`),
    ...there!.schemas.map((name) => `DROP SCHEMA ${quoteIdentifier(name)};\n`),
    ...shared.map(
      ({ schema, table, sources }) =>
        `DELETE FROM ${quoteQualified(schema, table)} WHERE ${ofSources(sources)};\n`,
    ),
  ].join('');
}

/**
 * Builds a query of the objects to drop first: everything in the schemas of customers, and for a table the objects of a
 * repeatable file that the set no longer has.
 */
function othersQuery(
  { files }: Pick<Migrations, 'files'>,
  { kind }: RetireSelection,
  { tables, schemas }: { readonly tables: readonly string[]; readonly schemas: readonly string[] },
): string {
  const listed = files.filter(({ category }) => category === 'repeatable').map(({ name }) => name);
  const texts = (names: readonly string[]) =>
    `(SELECT pg_catalog.jsonb_array_elements_text(${jsonLiteral(names)}))`;
  return `WITH namespace AS (
  SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN ${texts(schemas)}
), root AS (
  SELECT pg_catalog.to_regclass(name)::oid AS oid FROM ${texts(tables)} AS one (name)
), object AS (
  SELECT 'pg_catalog.pg_class'::regclass::oid AS class_id, relation.oid AS object_id, relation.relkind::text AS kind
  FROM namespace
  JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = namespace.oid
  WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relation.relispartition
    AND relation.oid NOT IN (SELECT oid FROM root)
  UNION ALL
  SELECT 'pg_catalog.pg_proc'::regclass, routine.oid, 'routine'
  FROM namespace
  JOIN pg_catalog.pg_proc AS routine ON routine.pronamespace = namespace.oid
), dependant AS (
  SELECT found.class_id, found.object_id, max(found.depth) AS depth, min(found.drop_statement) AS statement
  FROM (SELECT oid FROM root UNION SELECT object_id FROM object WHERE kind IN ('r', 'p')) AS used
  CROSS JOIN LATERAL cdc_management.dependants_of(used.oid, NULL) AS found
  WHERE NOT found.is_part AND ${
    kind === 'customer'
      ? '(found.class_id, found.object_id) IN (SELECT class_id, object_id FROM object)'
      : `found.file_category = 'repeatable' AND found.file_name NOT IN ${texts(listed)}`
  }
  GROUP BY found.class_id, found.object_id
)
SELECT statement
FROM (
  SELECT statement, depth FROM dependant
  UNION ALL
  SELECT pg_catalog.format('DROP %s %s', pg_catalog.upper(known.type), known.identity),
    CASE object.kind WHEN 'v' THEN -1 WHEN 'm' THEN -1 WHEN 'routine' THEN -2 ELSE -3 END
  FROM object
  CROSS JOIN LATERAL pg_catalog.pg_identify_object(object.class_id, object.object_id, 0) AS known
  WHERE (object.class_id, object.object_id) NOT IN (SELECT class_id, object_id FROM dependant)
) AS dropped
ORDER BY depth DESC, statement`;
}
