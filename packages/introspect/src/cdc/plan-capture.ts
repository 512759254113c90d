import { createHash } from 'node:crypto';
import { findInTable } from './find-in-table.ts';
import type {
  CaptureInstance,
  CaptureRequest,
  CaptureState,
  CaptureTable,
} from './capture-state.ts';
import { blocks, ofDatabase, ofTable, type Finding, type FindingCode } from './finding.ts';

/** Which risks are accepted, and how capture instances are created. */
export interface CaptureOptions {
  /** Codes of risks that are taken. */
  readonly accepted: readonly FindingCode[];
  /** Whether a table whose instance has other columns gets a second one. */
  readonly secondInstance: boolean;
}

/** What is to be done for one table. */
export interface TablePlan {
  readonly schema: string;
  readonly table: string;
  /** Name of the capture instance that is there, or is to be made. */
  readonly instance: string;
  /** Columns to capture, as the table spells them and in its order. */
  readonly columns: readonly string[];
  readonly step: 'keep' | 'enable' | 'blocked';
}

/** What is to be done to capture tables of a database, and what is in the way. */
export interface CapturePlan {
  readonly database: string;
  readonly enablesDatabase: boolean;
  readonly isBlocked: boolean;
  readonly findings: readonly Finding[];
  readonly tables: readonly TablePlan[];
}

/** Longest name of a capture instance. */
const MAX_INSTANCE_NAME = 100;
const MAX_INSTANCES = 2;

/** What enabling would do, with everything that speaks against it, all at once. */
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
      'change data capture is off in this database and only a sysadmin can switch it on; give the script of --emit-sql to one',
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
      'SQL Server Agent does not run: nothing would be captured and the log would grow without end; start it',
    );
  }
  if (agent === 'unknown') {
    add(
      'agent-unknown',
      'the login may not see whether SQL Server Agent runs, which has to; ask the DBA',
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
        `there is no column "${column}"; schema-docs and generate make the definition anew`,
      ),
    ),
    ...findInInstances(table, names, options),
    ...findInTable(table, columns, { state, key: request.keys?.find(({ length }) => length > 0) }),
  ];
  return { plan: { ...plan, instance, step: 'enable' }, findings };
}

/** A table of the state; SQL Server's names have no case. */
export function findTable(
  { tables }: CaptureState,
  { schema, table }: Pick<CaptureRequest, 'schema' | 'table'>,
): CaptureTable | undefined {
  const inSchema = tables.filter((entry) => isSame(entry.schema, schema));
  return (
    inSchema.find(({ name }) => name === table) ?? inSchema.find(({ name }) => isSame(name, table))
  );
}

/** Columns of the request, and those of the primary key, which every capture needs. */
function selectColumns(table: CaptureTable, requested: readonly string[]) {
  const wanted = new Set([...requested, ...table.primaryKey].map(fold));
  const known = new Set(table.columns.map(({ name }) => fold(name)));
  return {
    columns: table.columns.filter(({ name }) => wanted.has(fold(name))),
    missing: requested.filter((name) => !known.has(fold(name))),
  };
}

/** After a rotation the only instance is `dbo_Actor_v2`, and `dbo_Actor` is free again. */
function isTaken({ instances }: Pick<CaptureTable, 'instances'>, name: string): boolean {
  return instances.some((instance) => isSame(instance.name, name));
}

/** An instance that captures more does as well. */
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
    const message = `${names} lack columns of the definition, and a table has two instances at most; drop the one that nobody reads (sys.sp_cdc_disable_table)`;
    return [ofTable('two-instances', label, message)];
  }
  if (secondInstance) return [];
  const captured = new Set(first.columns.map(fold));
  const usual = instanceName({ schema, table: name });
  const nextName = isTaken({ instances }, usual) ? secondName(usual) : usual;
  const lacking = wanted.filter((column) => !captured.has(fold(column))).join(', ');
  const message = `${first.name} does not capture ${lacking}; --second-instance makes ${nextName} beside it, then move the connector there and drop the first`;
  return [ofTable('other-columns', label, message)];
}

/** `dbo_Actor`; a name that is too long is cut, and a hash tells it apart. */
export function instanceName({ schema, table }: Pick<CaptureRequest, 'schema' | 'table'>): string {
  const name = `${schema}_${table}`;
  const room = MAX_INSTANCE_NAME - SECOND.length;
  if (name.length <= room) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, room - hash.length - 1)}_${hash}`;
}

const SECOND = '_v2';

/** The name beside another: `dbo_Actor_v2` where that is `dbo_Actor`, and the other way round. */
function secondName(name: string): string {
  return name.endsWith(SECOND) ? name.slice(0, -SECOND.length) : name + SECOND;
}

function isSame(a: string, b: string): boolean {
  return fold(a) === fold(b);
}

function fold(name: string): string {
  return name.toLowerCase();
}
