import { tryUntil } from '@cdc-migrations/session';
import {
  quoteLiteral,
  quoteQualified,
  SCHEMA_PLACEHOLDER,
  shortName,
} from '@cdc-migrations/sql-text';
import {
  buildFinal,
  createIndex,
  INDEX_COMMENT,
  type IndexStructure,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import type { ApplyEvent, DeclaredIndex, FileFailure } from './apply-event.ts';
import { jsonLiteral } from '../session/json-literal.ts';
import { PINNED, UNPINNED } from '../session/plain-settings.ts';
import { belongsTo, type Migrations } from '../migrations/migrations.ts';
import type { Session } from '../session/session.ts';
import { newTag, taggedSessions, watchBlockers, type LockBlocker } from '../session/take-lock.ts';
import { TargetError } from '../session/target-error.ts';

/** Changes of a table's indexes. New ones are created first, so that a changed index is never missing. */
export interface IndexWork extends FinalTableInSchema {
  readonly isPartitioned: boolean;
  readonly create: readonly IndexStructure[];
  /** Our indexes that left the configuration, and unfinished ones. */
  readonly drop: readonly string[];
  /** Indexes that match, but have no comment that marks them as ours. */
  readonly adopt: readonly string[];
}

/** A final table in a schema, and the file that creates it. */
export interface FinalTableInSchema {
  readonly schema: string;
  readonly table: ReplicatedTable;
  readonly path: string;
}

interface FoundTable {
  readonly schema: string;
  readonly table: string;
  readonly isPartitioned: boolean;
  /** Wanted indexes, and existing ones of ours. */
  readonly indexes: readonly {
    readonly name: string;
    readonly isValid: boolean;
    readonly isOurs: boolean;
    /** True if another session is creating it. */
    readonly isBuilding: boolean;
  }[];
}

/** Lists the final tables of schemas. */
export function listFinalTables(
  { set, files }: Migrations,
  schemas: readonly string[],
  tenantNames: readonly string[],
): readonly FinalTableInSchema[] {
  const tenants = new Set(tenantNames);
  return files.flatMap((file) => {
    const { category, table, path } = file;
    if (category !== 'tables' || !table) return [];
    return schemas
      .filter((schema) => belongsTo(file, schema, { set, tenants }))
      .map((schema) => ({ schema, table, path }));
  });
}

/** Compares declared indexes with those of the target. Reads only tables that have or want some. */
export async function readIndexWork(
  session: Session,
  locations: readonly FinalTableInSchema[],
): Promise<readonly IndexWork[]> {
  if (locations.length === 0) return [];
  const key = (schema: string, table: string) => `${schema}\0${table}`;
  const located = new Map(
    locations.map((location) => [key(location.schema, location.table.name), location]),
  );
  const rows = await session.read<{ readonly found: FoundTable }>(foundQuery(locations));
  return rows.flatMap(({ found }) => {
    const location = located.get(key(found.schema, found.table));
    return location ? compare(location, found) : [];
  });
}

function compare(location: FinalTableInSchema, found: FoundTable): readonly IndexWork[] {
  const wanted = declaredOf(location.table);
  const isWanted = (name: string) => wanted.some((index) => index.name === name);
  const others = found.indexes.filter(({ isBuilding }) => !isBuilding);
  const work: IndexWork = {
    ...location,
    isPartitioned: found.isPartitioned,
    create: wanted.filter(
      ({ name }) =>
        !found.indexes.some((index) => index.name === name && (index.isValid || index.isBuilding)),
    ),
    drop: others
      .filter(({ name, isValid, isOurs }) => (isWanted(name) ? !isValid : isOurs))
      .map(({ name }) => name),
    adopt: others
      .filter(({ name, isValid, isOurs }) => isWanted(name) && isValid && !isOurs)
      .map(({ name }) => name),
  };
  return work.create.length + work.drop.length + work.adopt.length > 0 ? [work] : [];
}

function declaredOf(table: ReplicatedTable): readonly IndexStructure[] {
  return buildFinal(table).indexes.filter(({ declared }) => declared);
}

function foundQuery(locations: readonly FinalTableInSchema[]): string {
  const wanted = locations.flatMap(({ schema, table }) => {
    const names = declaredOf(table).map(({ name }) => name);
    return names.length > 0 ? [{ schema, table: table.name, names }] : [];
  });
  return `WITH wanted AS (
  SELECT relation.oid, entry.names
  FROM pg_catalog.jsonb_to_recordset(${jsonLiteral(wanted)}) AS entry (schema text, "table" text, names jsonb)
  JOIN pg_catalog.pg_namespace AS namespace ON namespace.nspname = entry.schema
  JOIN pg_catalog.pg_class AS relation ON relation.relnamespace = namespace.oid AND relation.relname = entry."table"
    AND relation.relkind IN ('r', 'p')
), ours AS (
  SELECT objoid AS oid FROM pg_catalog.pg_description
  WHERE classoid = 'pg_catalog.pg_class'::regclass AND objsubid = 0 AND description = ${quoteLiteral(INDEX_COMMENT)}
), index AS (
  SELECT indrelid AS "table", indexrelid AS oid, indisvalid AND indisready AS is_valid, ours.oid IS NOT NULL AS is_ours
  FROM pg_catalog.pg_index
  JOIN ours ON ours.oid = indexrelid
  UNION
  SELECT indrelid, indexrelid, indisvalid AND indisready, indexrelid IN (SELECT oid FROM ours)
  FROM wanted
  JOIN pg_catalog.pg_index ON indrelid = wanted.oid
  JOIN pg_catalog.pg_class AS own ON own.oid = indexrelid AND wanted.names ? own.relname
), relevant AS (
  SELECT oid FROM wanted UNION SELECT "table" FROM index
)
SELECT pg_catalog.jsonb_build_object('schema', namespace.nspname, 'table', relation.relname,
  'isPartitioned', relation.relkind = 'p', 'indexes', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', own.relname, 'isValid', index.is_valid,
      'isOurs', index.is_ours, 'isBuilding', EXISTS (
        SELECT FROM pg_catalog.pg_stat_progress_create_index AS progress WHERE progress.index_relid = own.oid)))
    FROM index
    JOIN pg_catalog.pg_class AS own ON own.oid = index.oid
    WHERE index."table" = relation.oid), '[]')) AS found
FROM relevant
JOIN pg_catalog.pg_class AS relation ON relation.oid = relevant.oid
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
ORDER BY namespace.nspname, relation.relname`;
}

/** The session that changes indexes, and the one that holds the lock of the apply. */
export interface IndexSessions {
  readonly worker: Session;
  readonly control: Session;
}

/** Wraps the worker. Reports the sessions that block a statement outside of a transaction, whose waits have no timeout. */
function watched(
  { worker, control }: IndexSessions,
  onStay: (blockers: readonly LockBlocker[]) => void,
): Session {
  const execute: Session['execute'] = async (statement) => {
    const tag = newTag();
    const watch = watchBlockers(control, taggedSessions(tag), onStay);
    await worker.execute(tag + statement).finally(watch.stop);
  };
  return Object.create(worker, { execute: { value: execute } }) as Session;
}

/** Result of the changes of indexes. Merges and other tables do not wait for them. */
export interface IndexOutcome {
  readonly indexes: readonly DeclaredIndex[];
  readonly failures: readonly FileFailure[];
}

/**
 * Creates indexes CONCURRENTLY, outside of a transaction, then drops removed ones. An unfinished index is dropped and
 * created again. A failure leaves nothing behind and is retried by the next apply.
 *
 * @throws TargetError if the connection is lost
 */
export async function declareIndexes(
  sessions: IndexSessions,
  works: readonly IndexWork[],
  onEvent: (event: ApplyEvent) => void,
): Promise<IndexOutcome> {
  const indexes: DeclaredIndex[] = [];
  const failures: FileFailure[] = [];
  for (const work of works) {
    const { schema, table } = work;
    const session = watched(sessions, (blockers) =>
      onEvent({ kind: 'index waits', schema, table: table.name, blockers }),
    );
    const wanted = new Set(work.create.map(({ name }) => name));
    const failuresBefore = failures.length;
    const attempt = async (
      change: () => Promise<void>,
      done?: Omit<DeclaredIndex, 'schema' | 'table'>,
    ) => {
      try {
        await change();
        if (done) indexes.push({ schema, table: table.name, ...done });
      } catch (error) {
        if (!(error instanceof TargetError) || error.kind === 'connection') throw error;
        const failure = describeFailure(error, work);
        failures.push(failure);
        onEvent({ kind: 'file failed', failure });
      }
    };
    for (const index of work.adopt) await attempt(() => adopt(session, schema, index));
    for (const index of work.create) {
      await attempt(
        async () => {
          onEvent({ kind: 'index begins', schema, table: table.name, index: index.name });
          // That of a partitioned table is not valid until the last partition has one.
          if (work.drop.includes(index.name) && !work.isPartitioned) {
            await drop(session, work, index.name);
          }
          await create(session, work, index);
        },
        { index: index.name, action: 'created' },
      );
    }
    // The replacement does not exist.
    if (failures.length > failuresBefore) continue;
    for (const index of work.drop.filter((name) => !wanted.has(name))) {
      await attempt(() => drop(session, work, index), { index, action: 'dropped' });
    }
  }
  return { indexes, failures };
}

async function create(
  session: Session,
  { schema, table, isPartitioned }: IndexWork,
  declared: IndexStructure,
): Promise<void> {
  const where = declared.where?.replaceAll(SCHEMA_PLACEHOLDER, schema) ?? null;
  const index = { ...declared, where };
  const final = { schema, name: table.name };
  if (where !== null) await refuseOtherReading(session, final, where);
  try {
    // PostgreSQL accepts CONCURRENTLY only as a single statement, so there is no SET in front of it.
    if (isPartitioned) await createInPartitions(session, final, index);
    else await session.execute(createIndex(index, final, { concurrently: true }));
  } catch (error) {
    // A failed unique index remains as an invalid one, which slows down writes.
    if (!session.isLost) {
      if (isPartitioned) await drop(session, { schema, isPartitioned }, index.name);
      else await dropInvalid(session, schema, index.name);
    }
    throw error;
  }
  await adopt(session, schema, index.name);
}

/**
 * Refuses a condition with names that the search_path of the session finds in another schema than the file of the table
 * does. A role that may create functions could run its own code by that. Views compare the two without running either.
 */
async function refuseOtherReading(
  session: Session,
  table: { readonly schema: string; readonly name: string },
  where: string,
): Promise<void> {
  const view = (name: string) =>
    `CREATE TEMP VIEW ${name} AS SELECT 1 AS found FROM ${quoteQualified(table.schema, table.name)} WHERE ${where};\n`;
  await session.write(`${UNPINNED}${view('cdc_condition')}${PINNED}${view('cdc_pinned')}DO $do$
BEGIN
  IF pg_catalog.pg_get_viewdef('pg_temp.cdc_condition'::regclass) <> pg_catalog.pg_get_viewdef('pg_temp.cdc_pinned'::regclass) THEN
    RAISE EXCEPTION 'the condition has names that the search_path of this role finds in a schema other than pg_catalog'
      USING HINT = 'In the index condition (where), write each of these names with its schema, for example pg_catalog.lower("Navn").', ERRCODE = 'CD005';
  END IF;
END
$do$;
DROP VIEW pg_temp.cdc_condition, pg_temp.cdc_pinned`);
}

interface PartitionNode {
  readonly id: string;
  readonly parent: string;
  readonly schema: string;
  readonly name: string;
  readonly isLeaf: boolean;
  /** Index of the partition that belongs to the declared one, or null. */
  readonly index: string | null;
}

/**
 * Creates an index of a partitioned table, for which PostgreSQL has no CONCURRENTLY: first one of the table alone, then
 * CONCURRENTLY those of its partitions, each of which is attached. Goes on where an earlier apply stopped.
 */
async function createInPartitions(
  session: Session,
  table: { readonly schema: string; readonly name: string },
  index: IndexStructure,
): Promise<void> {
  const root = quoteQualified(table.schema, index.name);
  await briefly(session, createIndex(index, table, { concurrently: false, only: true }));
  const nodes =
    await session.read<PartitionNode>(`SELECT tree.relid::text AS id, tree.parentrelid::text AS parent,
  namespace.nspname AS schema, relation.relname AS name, tree.isleaf AS "isLeaf", (
    SELECT own.relname FROM pg_catalog.pg_partition_tree(${quoteLiteral(root)}::regclass) AS part
    JOIN pg_catalog.pg_index AS index ON index.indexrelid = part.relid
    JOIN pg_catalog.pg_class AS own ON own.oid = part.relid
    WHERE index.indrelid = tree.relid) AS index
FROM pg_catalog.pg_partition_tree(${quoteLiteral(quoteQualified(table.schema, table.name))}::regclass) AS tree
JOIN pg_catalog.pg_class AS relation ON relation.oid = tree.relid
JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE tree.level > 0
ORDER BY tree.level, relation.relname`);
  const indexes = new Map<string, string>();
  for (const node of nodes) {
    const name = node.index ?? shortName(`${index.name}_${node.name}`);
    const own = quoteQualified(node.schema, name);
    indexes.set(node.id, own);
    if (node.index !== null) continue;
    if (node.isLeaf) {
      await dropInvalid(session, node.schema, name);
      await session.execute(createIndex({ ...index, name }, node, { concurrently: true }));
    } else {
      await briefly(
        session,
        createIndex({ ...index, name }, node, { concurrently: false, only: true }),
      );
    }
    const parent = indexes.get(node.parent) ?? root;
    await briefly(session, `ALTER INDEX ${parent} ATTACH PARTITION ${own}`);
  }
}

const LOCK_NOT_AVAILABLE = '55P03';
const RETRY_FOR_MS = 60_000;

/** Waits for a lock for 1 s at a time, because other sessions queue behind it, and retries for a minute. */
async function briefly(session: Session, statement: string): Promise<void> {
  let refusal: unknown;
  const isDone = await tryUntil(RETRY_FOR_MS, async () => {
    try {
      await session.write(`SET LOCAL lock_timeout = '1s';\n${statement}`);
      return true;
    } catch (error) {
      if (!(error instanceof TargetError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
      refusal = error;
      return undefined;
    }
  });
  if (!isDone) throw refusal;
}

async function adopt(session: Session, schema: string, index: string): Promise<void> {
  const name = quoteQualified(schema, index);
  await briefly(session, `COMMENT ON INDEX ${name} IS ${quoteLiteral(INDEX_COMMENT)}`);
}

async function drop(
  session: Session,
  work: Pick<IndexWork, 'schema' | 'isPartitioned'>,
  index: string,
): Promise<void> {
  const name = quoteQualified(work.schema, index);
  if (work.isPartitioned) await briefly(session, `DROP INDEX IF EXISTS ${name}`);
  else await session.execute(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

async function dropInvalid(session: Session, schema: string, index: string): Promise<void> {
  const name = quoteQualified(schema, index);
  const [row] = await session.read<{ readonly invalid: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_index
      WHERE indexrelid = pg_catalog.to_regclass(${quoteLiteral(name)}) AND NOT indisvalid) AS invalid`,
  );
  if (row!.invalid) await session.execute(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

const UNIQUE_VIOLATION = '23505';

function describeFailure(
  { message, code, detail, hint, context }: TargetError,
  { schema, table, path }: IndexWork,
): FileFailure {
  const ofUnique = `Remove the duplicates at the source, or remove unique from indexes in the service file. Then apply again. The table ${quoteQualified(schema, table.name)} is merged in the meantime.`;
  return {
    ...{
      kind: 'failed',
      schema,
      path,
      message: `index of ${table.name}: ${message}`,
      code,
      detail,
      context,
    },
    hint: code === UNIQUE_VIOLATION ? ofUnique : hint,
    statement: undefined,
  };
}
