import {
  formatProblem,
  oneOf,
  parseShape,
  reportIn,
  text,
  type EntriesOf,
  type Problem,
} from '@cdc-migrations/shape';
import { quoteLiteral } from '@cdc-migrations/sql-text';
import { CATEGORIES } from '@cdc-migrations/table-defs';
import * as v from 'valibot';
import { foreignObjects, type ForeignObject } from '../session/foreign-objects.ts';
import type { FileIdentity, Migrations } from '../migrations/migrations.ts';
import type { Session } from '../session/session.ts';
import { TargetError } from '../session/target-error.ts';

/** State of a target and of the files applied to it. */
export interface TargetState {
  /** Existing schemas. */
  readonly schemas: ReadonlySet<string>;
  /** Existing schemas that the role of the files may use. */
  readonly usable: ReadonlySet<string>;
  /** True if the role that files grant to exists. */
  readonly hasRole: boolean;
  /** Objects with our names and other owners. */
  readonly foreign: readonly ForeignObject[];
  /** True if it is a standby of another server. */
  readonly isStandby: boolean;
  /** Encoding of the database: `UTF8`. */
  readonly encoding: string;
  /** False if no file was ever applied. */
  readonly hasHistory: boolean;
  readonly history: History;
}

/** Last attempt to apply a file, and the content in force. */
export interface HistoryEntry {
  readonly checksum: string;
  readonly outcome: 'applied' | 'baseline' | 'unsafe' | 'failed';
  readonly error: string | null;
  /** Checksum of the content in force. Null if the file was never applied. */
  readonly appliedChecksum: string | null;
}

/** History of a target: files with their schemas and contents. */
export interface History {
  /** Returns the entry of a file in a schema. The schema is `WHOLE_DATABASE` for a file of the whole database. */
  readonly find: (file: FileIdentity, schema: string) => HistoryEntry | undefined;
  /** Files with their schemas, in order of name. */
  readonly entries: readonly HistoryGroup[];
}

/** Schemas in which a file has the same entry. */
export interface HistoryGroup extends FileIdentity {
  readonly file: string;
  readonly entry: HistoryEntry;
  readonly schemas: readonly string[];
}

/** Error: rows of the history have another format than this version writes. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  constructor(readonly problems: readonly Problem[]) {
    const remedy = 'use the newer version that wrote it, unless it was changed by hand';
    super([...problems.map(formatProblem), `${HISTORY}: ${remedy}`].join('\n'));
  }
}

const HISTORY = 'cdc_management.migration_history';

/** History of a target before the first apply. */
const NO_HISTORY: History = { find: () => undefined, entries: [] };

/**
 * Reads history, schemas and owners by three queries in one round trip, for any number of schemas and files.
 *
 * @throws HistoryError, TargetError
 */
export async function readTarget(
  session: Session,
  migrations: Pick<Migrations, 'set' | 'role' | 'files'>,
): Promise<TargetState> {
  const { set, role } = migrations;
  const [[facts], foreign, groups] = await Promise.all([
    session.read<Facts>(factsQuery(role)),
    session.query<ForeignObject>(foreignObjects(migrations)),
    readHistory(session, set.name),
  ]);
  return {
    schemas: new Set(facts!.schemas),
    usable: new Set(facts!.usable),
    hasRole: facts!.has_role,
    foreign,
    isStandby: facts!.is_standby,
    encoding: facts!.encoding,
    hasHistory: groups !== undefined,
    history: groups ? buildHistory(groups) : NO_HISTORY,
  };
}

interface Facts {
  readonly has_role: boolean;
  readonly is_standby: boolean;
  readonly encoding: string;
  readonly schemas: readonly string[];
  readonly usable: readonly string[];
}

function factsQuery(role: string): string {
  return `SELECT grantee.oid IS NOT NULL AS has_role, pg_catalog.current_setting('server_encoding') AS encoding,
  pg_catalog.jsonb_agg(namespace.nspname) AS schemas,
  coalesce(pg_catalog.jsonb_agg(namespace.nspname)
    FILTER (WHERE pg_catalog.has_schema_privilege(grantee.oid, namespace.oid, 'USAGE')), '[]') AS usable,
  pg_catalog.pg_is_in_recovery() AS is_standby
FROM pg_catalog.pg_namespace AS namespace
LEFT JOIN pg_catalog.pg_roles AS grantee ON grantee.rolname = ${quoteLiteral(role)}
GROUP BY grantee.oid`;
}

/** Error: the target is a standby, which is read-only. */
export class StandbyError extends Error {
  override readonly name = 'StandbyError';
  constructor() {
    super('the target is a standby, which is read-only; connect to its primary');
  }
}

/** @throws StandbyError */
export function refuseStandby({ isStandby }: Pick<TargetState, 'isStandby'>): void {
  if (isStandby) throw new StandbyError();
}

interface HistoryRow {
  readonly category: HistoryGroup['category'];
  readonly table_name: string;
  readonly file: string;
  readonly checksum: string;
  readonly outcome: HistoryEntry['outcome'];
  readonly error: string | null;
  readonly applied_checksum: string | null;
  readonly schemas: readonly string[];
}

const rowsSchema = v.array(
  v.strictObject({
    category: oneOf(CATEGORIES),
    table_name: text('the name of a table or file'),
    file: text('the path of a file'),
    checksum: text('a checksum'),
    outcome: oneOf(['applied', 'baseline', 'unsafe', 'failed']),
    error: v.nullable(v.string('expected a message')),
    applied_checksum: v.nullable(text('a checksum')),
    schemas: v.array(v.string('expected the name of a schema'), 'expected a list of schemas'),
  } satisfies EntriesOf<HistoryRow>),
  'expected a list of rows',
);

function parseRows(rows: unknown): readonly HistoryRow[] {
  const problems: Problem[] = [];
  const { whole } = parseShape(rowsSchema, rows, reportIn(HISTORY, problems));
  if (!whole) throw new HistoryError(problems);
  return whole;
}

const UNDEFINED_TABLE = '42P01';

/** Returns undefined if there is no history table yet. */
async function readHistory(
  session: Session,
  set: string,
): Promise<readonly HistoryGroup[] | undefined> {
  try {
    const rows =
      await session.read<unknown>(`SELECT category, table_name, max(file) AS file, checksum, outcome, error,
  applied_checksum, pg_catalog.jsonb_agg(schema_name ORDER BY schema_name) AS schemas
FROM cdc_management.migration_history
WHERE migration_set = ${quoteLiteral(set)}
GROUP BY category, table_name, checksum, outcome, error, applied_checksum
ORDER BY category, table_name`);
    return parseRows(rows).map(({ category, table_name: name, file, schemas, ...row }) => ({
      category,
      name,
      file,
      schemas,
      entry: {
        checksum: row.checksum,
        outcome: row.outcome,
        error: row.error,
        appliedChecksum: row.applied_checksum,
      },
    }));
  } catch (error) {
    if (error instanceof TargetError && error.code === UNDEFINED_TABLE) return undefined;
    throw error;
  }
}

function buildHistory(entries: readonly HistoryGroup[]): History {
  const bySchema = new Map<string, Map<string, HistoryEntry>>();
  for (const { category, name, schemas, entry } of entries) {
    const key = `${category}\0${name}`;
    const ofFile = bySchema.get(key) ?? new Map<string, HistoryEntry>();
    for (const schema of schemas) ofFile.set(schema, entry);
    bySchema.set(key, ofFile);
  }
  const find: History['find'] = ({ category, name }, schema) =>
    bySchema.get(`${category}\0${name}`)?.get(schema);
  return { find, entries };
}
