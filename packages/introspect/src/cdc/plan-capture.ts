import { createHash } from 'node:crypto';
import { findInTable } from './find-in-table.ts';
import type {
  CaptureInstance,
  CaptureRequest,
  CaptureState,
  CaptureTable,
} from './capture-state.ts';
import { blocks, ofDatabase, ofTable, type Finding, type FindingCode } from './finding.ts';

/** Accepted risks, and the handling of existing capture instances. */
export interface CaptureOptions {
  /** Codes of the accepted risks. */
  readonly accepted: readonly FindingCode[];
  /** If true, a table gets a second instance if its first instance does not capture all columns. */
  readonly secondInstance: boolean;
}

/** Plan for one table. */
export interface TablePlan {
  readonly schema: string;
  readonly table: string;
  /** Name of the existing or new capture instance. */
  readonly instance: string;
  /** Columns to capture, in the spelling and the order of the table. */
  readonly columns: readonly string[];
  readonly step: 'keep' | 'enable' | 'blocked';
}

/** Plan for the tables of a database, with all findings. */
export interface CapturePlan {
  readonly database: string;
  readonly enablesDatabase: boolean;
  readonly isBlocked: boolean;
  readonly findings: readonly Finding[];
  readonly tables: readonly TablePlan[];
}

/** Maximum length of a capture instance's name. */
const MAX_INSTANCE_NAME = 100;
const MAX_INSTANCES = 2;

/** Builds the plan for enabling CDC, with all findings. */
export function planCapture(
  state: CaptureState,
  requests: readonly CaptureRequest[],
  options: CaptureOptions,
): CapturePlan {
  const ofDatabase = findInDatabase(state);
  const isBlocked = ofDatabase.some((finding) => blocks(finding, options.accepted));
  const planned = requests.map((request) => planTable(state, request, options));
  return {
    database: state.database.name,
    enablesDatabase: !state.database.isEnabled,
    isBlocked,
    findings: [...ofDatabase, ...planned.flatMap(({ findings }) => findings)],
    tables: planned.map(({ plan, findings }) => ({
      ...plan,
      step:
        plan.step === 'enable' &&
        (isBlocked || findings.some((finding) => blocks(finding, options.accepted)))
          ? 'blocked'
          : plan.step,
    })),
  };
}

function findInDatabase({ database, login, agent, isExpress }: CaptureState): readonly Finding[] {
  const findings: Finding[] = [];
  const add = (code: FindingCode, message: string) => findings.push(ofDatabase(code, message));
  if (isExpress) {
    add(
      'express-edition',
      'Express Edition has no change data capture; move the database to Standard',
    );
  }
  if (database.isReadOnly) {
    add('database-read-only', 'the database is read-only; ALTER DATABASE … SET READ_WRITE first');
  }
  if (!database.isEnabled && !login.isSysadmin) {
    add(
      'no-sysadmin',
      'change data capture is off in this database and only a sysadmin can enable it; give the script of --emit-sql to one',
    );
  }
  if (!login.isSysadmin && !login.isOwner) {
    add(
      'no-owner',
      'the login must be db_owner to enable tables; ALTER ROLE db_owner ADD MEMBER …',
    );
  }
  if (!database.isEnabled && (database.hasSchema || database.hasUser)) {
    const what = [database.hasSchema && 'a schema', database.hasUser && 'a user'].filter(Boolean);
    add('cdc-name-taken', `there is ${what.join(' and ')} named cdc; rename or drop it`);
  }
  if (agent === 'stopped') {
    add(
      'agent-stopped',
      'SQL Server Agent is not running: nothing would be captured and the log would grow; start it',
    );
  }
  if (agent === 'unknown') {
    add(
      'agent-unknown',
      'the login has no permission to check if SQL Server Agent is running; ask the DBA',
    );
  }
  return findings;
}

interface Planned {
  readonly plan: TablePlan;
  readonly findings: readonly Finding[];
}

function planTable(state: CaptureState, request: CaptureRequest, options: CaptureOptions): Planned {
  const label = `${request.schema}.${request.table}`;
  const table = findTable(state, request);
  if (!table) {
    const message = 'the database has no such table, or the login does not see it';
    const plan = { ...request, instance: instanceName(request), step: 'enable' } as const;
    return { plan, findings: [ofTable('no-table', label, message)] };
  }
  const { columns, missing } = selectColumns(table, request.columns);
  const names = columns.map(({ name }) => name);
  const { schema, name } = table;
  const present = table.instances.find((instance) => captures(instance, names));
  const plan = { schema, table: name, columns: names };
  if (present) return { plan: { ...plan, instance: present.name, step: 'keep' }, findings: [] };
  const first = instanceName({ schema, table: name });
  const instance = isTaken(table, first) ? secondName(first) : first;
  const findings = [
    ...missing.map((column) =>
      ofTable(
        'no-column',
        label,
        `there is no column "${column}"; run schema-docs and generate to update the definition`,
      ),
    ),
    ...findInInstances(table, names, options),
    ...findInTable(table, columns, { state, key: request.keys?.find(({ length }) => length > 0) }),
  ];
  return { plan: { ...plan, instance, step: 'enable' }, findings };
}

/** Finds a table in the state. Names of SQL Server are compared without case. */
export function findTable(
  { tables }: CaptureState,
  { schema, table }: Pick<CaptureRequest, 'schema' | 'table'>,
): CaptureTable | undefined {
  const inSchema = tables.filter((entry) => isSame(entry.schema, schema));
  return (
    inSchema.find(({ name }) => name === table) ?? inSchema.find(({ name }) => isSame(name, table))
  );
}

/** Selects the requested columns and those of the primary key, which every instance must capture. */
function selectColumns(table: CaptureTable, requested: readonly string[]) {
  const wanted = new Set([...requested, ...table.primaryKey].map(fold));
  const known = new Set(table.columns.map(({ name }) => fold(name)));
  return {
    columns: table.columns.filter(({ name }) => wanted.has(fold(name))),
    missing: requested.filter((name) => !known.has(fold(name))),
  };
}

/**
 * Checks if an instance has this name. After a rotation the only instance can be `dbo_Actor_v2`, and `dbo_Actor` is
 * free again.
 */
function isTaken({ instances }: Pick<CaptureTable, 'instances'>, name: string): boolean {
  return instances.some((instance) => isSame(instance.name, name));
}

/** Checks if an instance captures all wanted columns. It may capture more. */
export function captures({ columns }: CaptureInstance, wanted: readonly string[]): boolean {
  const captured = new Set(columns.map(fold));
  return wanted.every((name) => captured.has(fold(name)));
}

function findInInstances(
  { schema, name, instances }: CaptureTable,
  wanted: readonly string[],
  { secondInstance }: CaptureOptions,
): readonly Finding[] {
  const label = `${schema}.${name}`;
  const [first] = instances;
  if (!first) return [];
  if (instances.length >= MAX_INSTANCES) {
    const names = instances.map((instance) => instance.name).join(' and ');
    const message = `${names} do not capture all columns of the definition, and a table has two instances at most; drop the unused one (sys.sp_cdc_disable_table)`;
    return [ofTable('two-instances', label, message)];
  }
  if (secondInstance) return [];
  const captured = new Set(first.columns.map(fold));
  const usual = instanceName({ schema, table: name });
  const nextName = isTaken({ instances }, usual) ? secondName(usual) : usual;
  const lacking = wanted.filter((column) => !captured.has(fold(column))).join(', ');
  const message = `${first.name} does not capture ${lacking}; --second-instance creates ${nextName}, then move the connector there and drop the first`;
  return [ofTable('other-columns', label, message)];
}

/** Returns the name of a capture instance: `dbo_Actor`. A name that is too long is cut and gets a hash. */
export function instanceName({ schema, table }: Pick<CaptureRequest, 'schema' | 'table'>): string {
  const name = `${schema}_${table}`;
  const room = MAX_INSTANCE_NAME - SECOND.length;
  if (name.length <= room) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, room - hash.length - 1)}_${hash}`;
}

const SECOND = '_v2';

/** Returns the name for the second instance: `dbo_Actor_v2` for `dbo_Actor`, and the other way round. */
function secondName(name: string): string {
  return name.endsWith(SECOND) ? name.slice(0, -SECOND.length) : name + SECOND;
}

function isSame(a: string, b: string): boolean {
  return fold(a) === fold(b);
}

function fold(name: string): string {
  return name.toLowerCase();
}
