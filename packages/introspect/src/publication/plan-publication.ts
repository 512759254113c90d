import { dollarTag, quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import { blocks, ofDatabase, ofTable, type Finding, type FindingCode } from '../cdc/finding.ts';
import type {
  CarrierNames,
  PublicationRequest,
  PublicationState,
  PublishedTable,
  TablePart,
} from './publication-state.ts';

/** Accepted risks, and contents of the publication. */
export interface PublicationOptions extends CarrierNames {
  /** Codes of the accepted risks. */
  readonly accepted: readonly FindingCode[];
  readonly createSlot: boolean;
  /** If true, tables without a request are removed from the publication. */
  readonly isComplete: boolean;
}

/**
 * Columns of the old row that UPDATE and DELETE write to WAL: the primary key, the columns of an index, or all columns.
 */
export type ReplicaIdentity = 'primary key' | 'index' | 'full';

/** Plan for one table. */
export interface PublicationTablePlan {
  readonly schema: string;
  readonly table: string;
  readonly step: 'keep' | 'add' | 'remove' | 'blocked';
  /** Undefined for a table that is removed or does not exist. */
  readonly identity?: ReplicaIdentity;
  /** Statements for one transaction. Each is idempotent. */
  readonly sql: readonly string[];
}

/** Plan for a publication and its tables. */
export interface PublicationPlan extends CarrierNames {
  readonly database: string;
  readonly step: 'keep' | 'create' | 'change' | 'blocked';
  readonly slotStep: 'keep' | 'create' | 'leave' | 'blocked';
  /** Statements that create or change the publication. */
  readonly sql: readonly string[];
  readonly slotSql: readonly string[];
  /** Statements that only an administrator can run: grants to the login. */
  readonly grants: readonly string[];
  readonly findings: readonly Finding[];
  readonly tables: readonly PublicationTablePlan[];
}

/** Builds the plan of `enable-cdc` for a PostgreSQL database, with all findings. */
export function planPublication(
  state: PublicationState,
  requests: readonly PublicationRequest[],
  options: PublicationOptions,
): PublicationPlan {
  const { publication: name, slot, accepted, createSlot } = options;
  const { publication } = state;
  const isBlockedBy = (findings: readonly Finding[]) =>
    findings.some((finding) => blocks(finding, accepted));
  const wanted = requests.map((request) => planTable(state, request, name));
  const removed = options.isComplete ? planRemovals(state, requests, options) : [];
  const planned = [...wanted, ...removed];
  const alters = planned.some(({ plan }) => plan.sql.some((text) => text.startsWith('DO ')));
  const repair = publication && needsRepair(publication, state.tables);
  const step = !publication ? 'create' : repair ? 'change' : 'keep';
  const general = [
    ...findInServer(state),
    ...findInSlot(state, options),
    ...findInPublication(state, options, step !== 'keep' || alters),
  ];
  const isBlocked = isBlockedBy(general);
  return {
    ...{ database: state.database.name, publication: name, slot },
    step: isBlocked ? 'blocked' : step,
    slotStep: state.slot ? 'keep' : !createSlot ? 'leave' : isBlocked ? 'blocked' : 'create',
    sql: step === 'keep' ? [] : publicationSql(name),
    slotSql: createSlot && !state.slot ? slotSql(slot) : [],
    grants: grantsOf(state),
    findings: [...general, ...planned.flatMap(({ findings }) => findings)],
    tables: planned.map(({ plan, findings }) =>
      isBlockedBy(findings) || (isBlocked && plan.step !== 'keep')
        ? { ...plan, step: 'blocked' }
        : plan,
    ),
  };
}

/** Publishes events of partitions under the name of their table, with all operations. */
const PUBLICATION_OPTIONS =
  "publish = 'insert, update, delete, truncate', publish_via_partition_root = true";

function needsRepair(
  { missing, viaRoot }: NonNullable<PublicationState['publication']>,
  tables: readonly PublishedTable[],
): boolean {
  return missing.length > 0 || (!viaRoot && tables.some(({ isPartitioned }) => isPartitioned));
}

function publicationSql(name: string): readonly string[] {
  const quoted = quoteIdentifier(name);
  return [
    unless(
      `SELECT FROM pg_catalog.pg_publication WHERE pubname = ${quoteLiteral(name)}`,
      `CREATE PUBLICATION ${quoted}`,
    ),
    `ALTER PUBLICATION ${quoted} SET (${PUBLICATION_OPTIONS})`,
  ];
}

function slotSql(slot: string): readonly string[] {
  const name = quoteLiteral(slot);
  return [
    `SELECT pg_catalog.pg_create_logical_replication_slot(${name}, 'pgoutput')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = ${name})`,
  ];
}

/** Renders a statement that is skipped if the query finds a row. */
function unless(query: string, statement: string): string {
  const body = `\nBEGIN\n  IF NOT EXISTS (${query}) THEN\n    ${statement};\n  END IF;\nEND\n`;
  const tag = dollarTag(body, 'cdc');
  return `DO ${tag}${body}${tag}`;
}

function findInServer({ database, login, slot }: PublicationState): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(ofDatabase(code, message));
  const { walLevel, maxSlots, usedSlots, maxSenders, usedSenders } = database;
  if (database.isStandby) {
    add('standby', 'the server is a read-only standby; connect to its primary');
  }
  if (walLevel !== 'logical') {
    add(
      'wal-level',
      `expected wal_level logical, found ${walLevel}; ALTER SYSTEM SET wal_level = 'logical', then restart the server (a service in the cloud has a parameter for it)`,
    );
  }
  if (!login.mayReplicate) {
    add(
      'no-replication',
      `the login ${login.name} has no right to replicate, so the connector cannot use the slot; ALTER ROLE … REPLICATION, or --accept no-replication if the connector has another login`,
    );
  }
  if (!slot && usedSlots >= maxSlots) {
    add(
      'no-free-slot',
      `all ${maxSlots} replication slots are in use, so the connector cannot create one; drop an unused one, or increase max_replication_slots and restart the server`,
    );
  }
  if (!slot?.isActive && usedSenders >= maxSenders) {
    add(
      'no-free-sender',
      `all ${maxSenders} WAL senders are in use, so the connector cannot stream; increase max_wal_senders and restart the server`,
    );
  }
  if (database.maxSlotWalKeepSize === '-1') {
    add(
      'wal-unlimited',
      "a connector that stands still keeps WAL until the disk is full; ALTER SYSTEM SET max_slot_wal_keep_size = '…', then SELECT pg_reload_conf(): after that size the slot is lost instead, and a snapshot is needed",
    );
  }
  return findings;
}

function findInSlot({ slot, database }: PublicationState, names: CarrierNames): readonly Finding[] {
  if (!slot) return [];
  if (!slot.isLogicalHere) {
    const found =
      slot.database === null
        ? 'a physical slot'
        : `a slot of the database ${slot.database} with the plugin ${slot.plugin}`;
    const message = `expected ${names.slot} to be a slot of ${database.name} with the plugin pgoutput, found ${found}; slot names are unique in the server: give the connector and --slot-name another one`;
    return [ofDatabase('slot-taken', message)];
  }
  if (slot.isLost) {
    const message = `the slot ${names.slot} has lost WAL (max_slot_wal_keep_size): changes are missing; SELECT pg_drop_replication_slot('${names.slot}'), then let the connector make a new snapshot`;
    return [ofDatabase('slot-lost', message)];
  }
  if (slot.isActive) return [];
  const message = `the slot ${names.slot} has no consumer, and the server keeps ${slot.retained} of WAL for it; start the connector, or drop the slot`;
  return [ofDatabase('slot-inactive', message)];
}

function findInPublication(
  { publication, login, database, tables }: PublicationState,
  { publication: name }: CarrierNames,
  isAltered: boolean,
): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(ofDatabase(code, message));
  if (!publication && !login.mayCreate) {
    add(
      'no-create',
      `the login ${login.name} may not create a publication in ${database.name}; give the script of --emit-sql to the owner of the database or a superuser`,
    );
  }
  if (publication && !publication.isOwned && isAltered) {
    add(
      'publication-owner',
      `the publication ${name} belongs to ${publication.owner}; give the script of --emit-sql to that role or a superuser`,
    );
  }
  if (publication?.allTables) {
    add(
      'all-tables',
      `the publication ${name} carries every table of the database: UPDATE and DELETE fail in the application for tables without a replica identity`,
    );
  }
  const foreign = tables.some(({ isOwned }) => !isOwned);
  if ((publication && !publication.isOwned) || foreign) {
    add(
      'autocreate-mode',
      `the login ${login.name} does not own the publication and all its tables; set publication.autocreate.mode to disabled in the connector, because filtered alters the publication at each start`,
    );
  }
  return findings;
}

interface Planned {
  readonly plan: PublicationTablePlan;
  readonly findings: readonly Finding[];
}

function planTable(state: PublicationState, request: PublicationRequest, name: string): Planned {
  const { schema, table, keys } = request;
  const label = `${schema}.${table}`;
  const found = state.tables.find((entry) => entry.schema === schema && entry.name === table);
  if (!found) {
    const message = 'the database has no such table';
    const plan = { schema, table, step: 'add', sql: [] } as const;
    return { plan, findings: [ofTable('no-table', label, message)] };
  }
  const parts = found.parts.map((part) => planIdentity(part, keys));
  const member = state.publication?.members.find(
    (entry) => entry.schema === schema && entry.table === table,
  );
  const isCarried = member !== undefined || found.isInSchema || state.publication?.allTables;
  const sql = [
    ...parts.flatMap((part) => part.sql),
    ...(isCarried ? [] : [addSql(name, schema, table)]),
  ];
  const identity = (['full', 'index'] as const).find((kind) =>
    parts.some((part) => part.identity === kind),
  );
  const plan: PublicationTablePlan = {
    ...{ schema, table, step: sql.length > 0 ? 'add' : 'keep' },
    ...{ identity: identity ?? 'primary key', sql },
  };
  const login = state.login.name;
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(ofTable(code, label, message));
  const missing = request.columns.filter((column) => !found.columns.includes(column));
  if (missing.length > 0) {
    add(
      'no-column',
      `there is no column ${missing.join(', ')}; run schema-docs and generate to update the definition`,
    );
  }
  if (!found.isPermanent) {
    add('unlogged-table', 'unlogged and temporary tables have no WAL; ALTER TABLE … SET LOGGED');
  }
  if (sql.length > 0 && !(found.isOwned && found.parts.every(({ isOwned }) => isOwned))) {
    add(
      'no-table-owner',
      `the login ${login} must own the table (it belongs to ${found.owner}); give the script of --emit-sql to the owner or a superuser`,
    );
  }
  if (!found.mayUseSchema || !found.maySelect) {
    add(
      'no-select',
      `the login ${login} may not read the table, so the connector's snapshot fails; GRANT SELECT, or --accept no-select if the connector has another login`,
    );
  }
  if (found.hidesRows) {
    add(
      'row-security',
      `policies hide rows from the login ${login}, so the connector's snapshot may leave rows out; ALTER ROLE … BYPASSRLS, or --accept row-security`,
    );
  }
  if (member?.hasFilter) {
    add(
      'row-filter',
      `the publication ${name} carries only some rows (WHERE); ALTER PUBLICATION … DROP TABLE, then run this again`,
    );
  }
  const hidden = request.columns.filter((column) => member?.columns?.includes(column) === false);
  if (hidden.length > 0) {
    add(
      'column-list',
      `the publication ${name} does not carry ${hidden.join(', ')}; ALTER PUBLICATION … DROP TABLE, then run this again`,
    );
  }
  const noKey = found.parts.some(
    ({ primaryKey, indexes }) => !primaryKey.length && !indexes.length,
  );
  if (noKey) {
    add(
      'no-key',
      `neither primary key nor unique index over NOT NULL columns${keys.every(({ length }) => length === 0) ? ', so updates and deletes go to the dead letters: name a key in key_columns' : ''}; replica identity FULL, so UPDATE and DELETE write the whole old row to the WAL`,
    );
  }
  if (found.isPartitioned && identity) {
    add(
      'partition-identity',
      `a partition that is created later has no replica identity ${identity}: run this again after each`,
    );
  }
  return { plan, findings };
}

function addSql(name: string, schema: string, table: string): string {
  return unless(
    memberSql(name, schema, table),
    `ALTER PUBLICATION ${quoteIdentifier(name)} ADD TABLE ONLY ${quoteQualified(schema, table)}`,
  );
}

function dropSql(name: string, schema: string, table: string): string {
  return unless(
    `SELECT WHERE NOT EXISTS (${memberSql(name, schema, table)})`,
    `ALTER PUBLICATION ${quoteIdentifier(name)} DROP TABLE ONLY ${quoteQualified(schema, table)}`,
  );
}

function memberSql(name: string, schema: string, table: string): string {
  return `SELECT FROM pg_catalog.pg_publication_rel AS m JOIN pg_catalog.pg_publication AS p ON p.oid = m.prpubid
    WHERE p.pubname = ${quoteLiteral(name)} AND m.prrelid = ${quoteLiteral(quoteQualified(schema, table))}::regclass`;
}

interface Identity {
  readonly identity: ReplicaIdentity;
  readonly sql: readonly string[];
}

/**
 * Plans the replica identity of a table or partition. A delete event needs the key of each definition, and without any
 * identity UPDATE and DELETE fail in the application. An identity that covers the keys is kept. If the current identity
 * is another index, the new one is full, which covers that index too.
 */
function planIdentity(part: TablePart, keys: PublicationRequest['keys']): Identity {
  const { identity, primaryKey, indexes } = part;
  const covers = (columns: readonly string[]) =>
    columns.length > 0 && keys.every((key) => key.every((column) => columns.includes(column)));
  const chosen = indexes.find(({ isIdentity }) => isIdentity);
  if (identity === 'full') return { identity: 'full', sql: [] };
  if (identity === 'index' && chosen && covers(chosen.columns)) {
    return { identity: 'index', sql: [] };
  }
  const alter = `ALTER TABLE ONLY ${quoteQualified(part.schema, part.name)} REPLICA IDENTITY`;
  if (identity !== 'index' && covers(primaryKey)) {
    return {
      identity: 'primary key',
      sql: identity === 'default' ? [] : [`${alter} DEFAULT`],
    };
  }
  const index = indexes
    .filter(({ columns }) => covers(columns))
    .sort((a, b) => a.columns.length - b.columns.length)[0];
  if (identity !== 'index' && index) {
    return { identity: 'index', sql: [`${alter} USING INDEX ${quoteIdentifier(index.name)}`] };
  }
  return { identity: 'full', sql: [`${alter} FULL`] };
}

/**
 * Plans the removal of tables that are in the publication but in no definition. Other consumers may read them, so
 * removal is a risk.
 */
function planRemovals(
  { publication }: PublicationState,
  requests: readonly PublicationRequest[],
  { publication: name, accepted }: PublicationOptions,
): readonly Planned[] {
  const isWanted = ({ schema, table }: { readonly schema: string; readonly table: string }) =>
    requests.some((request) => request.schema === schema && request.table === table);
  const isAccepted = accepted.includes('extra-table');
  return (publication?.members ?? [])
    .filter((member) => !isWanted(member))
    .map(({ schema, table }) => {
      const label = `${schema}.${table}`;
      const message = `the publication ${name} has this table, but no definition does; --accept extra-table removes it, and other consumers get no more changes of it`;
      return {
        plan: {
          schema,
          table,
          step: 'remove',
          sql: isAccepted ? [dropSql(name, schema, table)] : [],
        },
        findings: [ofTable('extra-table', label, message)],
      };
    });
}

function grantsOf({ login, tables }: PublicationState): readonly string[] {
  const role = quoteIdentifier(login.name);
  const schemas = tables.filter(({ mayUseSchema }) => !mayUseSchema).map(({ schema }) => schema);
  const hidden = tables.filter(({ maySelect }) => !maySelect);
  return [
    ...(login.mayReplicate ? [] : [`ALTER ROLE ${role} REPLICATION`]),
    ...[...new Set(schemas)].map(
      (schema) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role}`,
    ),
    ...hidden.map(
      ({ schema, name }) => `GRANT SELECT ON ${quoteQualified(schema, name)} TO ${role}`,
    ),
  ];
}

/**
 * Renders a plan as a script for psql, with the statements that the login has no right to run. A second run changes
 * nothing.
 */
export function renderPublicationSql(plan: PublicationPlan): string {
  const { database, findings, grants, sql, slotSql: slot, tables } = plan;
  const comments = [
    `-- Changes of ${database}: run as a superuser, or as the owner of the tables, in that database (psql -X -f).`,
    ...findings.map(
      ({ level, code, table, message }) =>
        `-- ${level} ${code}${table === undefined ? '' : ` ${table}`}: ${message}`,
    ),
  ];
  const transactions = tables
    .filter((table) => table.sql.length > 0)
    .map((table) => ['BEGIN', "SET LOCAL lock_timeout = '5s'", ...table.sql, 'COMMIT']);
  const statements = [...grants, ...sql, ...transactions.flat(), ...slot];
  return [
    ...comments.map((line) => line.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')),
    '\\set ON_ERROR_STOP on',
    'SET search_path = pg_catalog;',
    ...statements.map((statement) => `${statement};`),
    '',
  ].join('\n');
}
