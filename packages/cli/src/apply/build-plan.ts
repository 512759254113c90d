import { namePattern } from '@cdc-migrations/sql-text';
import { renderClauses } from '@cdc-migrations/ddl-render';
import {
  diffTables,
  isUserFile,
  worstClass,
  type ReplicatedTable,
  type TableChange,
} from '@cdc-migrations/table-defs';
import {
  fileState,
  findHandRenames,
  relationOf,
  WHOLE_DATABASE,
  type ApplyPlan,
  type Dependants,
  type MigrationFile,
  type RetypedColumn,
  type SchemaRun,
  type Sizes,
  type Structures,
  type TargetState,
} from '@cdc-migrations/tracker';
import { changeFacts } from '../diff/change-facts.ts';
import type { CommandTarget } from '../target/open-targets.ts';
import { PLAN_STATES, type PlanEntry, type PlanTarget } from './plan-file.ts';

/** Facts of a plan that come from the target's catalog. They are read without a table lock. */
export interface PlanFacts {
  readonly state: TargetState;
  readonly structures: Structures;
  readonly sizes: Sizes;
  readonly dependants: Dependants;
  readonly allowRewrite: boolean;
}

/** Builds the plan of a target: statements with classes, locks and estimates. */
export function buildPlan(target: CommandTarget, plan: ApplyPlan, facts: PlanFacts): PlanTarget {
  const bySchema = new Map<string, MigrationFile[]>();
  for (const { schema, files } of runsOf(plan))
    bySchema.set(schema, [...(bySchema.get(schema) ?? []), ...files]);
  return {
    set: target.migrations.set.name,
    database: plan.steps.flatMap((step) =>
      step.kind === 'database'
        ? step.files.map((file) => ({
            ...identify(file, WHOLE_DATABASE, facts),
            ...describeGlobal(file, step.schemas.creates),
          }))
        : [],
    ),
    schemas: [...bySchema].map(([schema, files]) => {
      const wave = target.waves.find(({ schemas }) => schemas.includes(schema))?.name;
      return {
        schema,
        ...(wave !== undefined && { wave }),
        structure: facts.structures.ofSchema(schema),
        files: files.map((file) =>
          describeFile(file, schema, { ...facts, manual: listManual(files, file) }),
        ),
      };
    }),
  };
}

/** Returns the schema runs of all steps. */
export function runsOf({ steps }: ApplyPlan): readonly SchemaRun[] {
  return steps.flatMap((step) => (step.kind === 'schemas' ? step.runs : []));
}

type Identity = Pick<PlanEntry, 'path' | 'checksum' | 'state'>;
type Effect = Pick<PlanEntry, 'class' | 'lock' | 'changes'>;

function identify(
  file: MigrationFile,
  schema: string,
  { state: { schemas, history } }: PlanFacts,
): Identity {
  const isThere = schema === WHOLE_DATABASE || schemas.has(schema);
  const found = fileState(file, isThere ? history.find(file, schema) : undefined, history);
  const state = PLAN_STATES.find((one) => one === found)!;
  return { path: file.path, checksum: file.checksum, state };
}

const HAND_WRITTEN: Effect = { class: 'hand-written', lock: 'not known', changes: [] };

function describeGlobal(file: MigrationFile, creates: readonly string[]): Effect {
  if (isUserFile(file)) return HAND_WRITTEN;
  const changes =
    file.category === 'schemas'
      ? creates.map((schema) => `new schema ${schema}`)
      : ['creates or replaces the objects of cdc_management'];
  return { class: 'free', lock: 'none', changes };
}

/** Lists manual files of a plan that name the table of a file. They run before it and may make its changes. */
function listManual(
  files: readonly MigrationFile[],
  { table }: MigrationFile,
): readonly MigrationFile[] {
  if (!table) return [];
  const name = new RegExp(namePattern(table.name), 'u');
  return files.filter(({ category, text }) => category === 'manual' && name.test(text));
}

interface FileFacts extends PlanFacts {
  /** Manual files that run before the file and may make its changes. */
  readonly manual: readonly MigrationFile[];
}

function describeFile(file: MigrationFile, schema: string, facts: FileFacts): PlanEntry {
  const identity = identify(file, schema, facts);
  const name = relationOf(file);
  if (!file.table || name === undefined) return { ...identity, ...HAND_WRITTEN };
  const found = facts.structures.find(schema, name);
  if (!found) return { ...identity, class: 'free', lock: 'none', changes: ['new table'] };
  const size = facts.sizes.find(schema, name);
  return {
    ...identity,
    structure: found.checksum,
    ...effectOf(file, schema, file.table, { ...facts, bytes: size?.bytes ?? 0 }),
    ...(size?.rows !== undefined && { rows: size.rows }),
    ...(size?.bytes !== undefined && { bytes: size.bytes }),
  };
}

function effectOf(
  file: MigrationFile,
  schema: string,
  table: ReplicatedTable,
  {
    structures,
    sizes,
    dependants,
    allowRewrite,
    manual,
    bytes,
  }: FileFacts & { readonly bytes: number },
): Effect {
  const changes = changesOf(file, schema, table, structures);
  const inTheWay = changes.flatMap(({ retyped }) => {
    const found = retyped && dependants(schema, relationOf(file)!, retyped);
    return found ? { ...found, retyped } : [];
  });
  const reported = [
    ...changes.map(({ what, class: changeClass }) => `${what} (${changeClass})`),
    ...inTheWay
      .filter(({ isRecreated }) => isRecreated)
      .map(({ retyped, users }) => `recreates the objects that use "${retyped}": ${users}`),
  ];
  const worst = worstClass(changes.map((change) => change.class));
  const why = [
    ...(worst === 'rewrite' && !allowRewrite && bytes > sizes.rewriteLimitBytes
      ? ['the table is too large to be rewritten without --allow-rewrite']
      : []),
    ...inTheWay
      .filter(({ isRecreated }) => !isRecreated)
      .map(({ retyped, users }) => `"${retyped}" is used by ${users}`),
  ];
  const isRefused = worst === 'unsafe' || why.length > 0;
  if (isRefused && manual.length > 0) {
    const paths = manual.map(({ path }) => path).join(', ');
    const unless = `refused unless ${paths} makes it possible, which runs before`;
    return { ...HAND_WRITTEN, changes: [...reported, ...why, unless] };
  }
  if (isRefused)
    return { class: 'unsafe', lock: 'none, because it is refused', changes: [...reported, ...why] };
  if (changes.length === 0) {
    const changed = file.category === 'tables' ? [] : ['replaces the routines of the merge'];
    return { class: 'free', lock: 'none', changes: changed };
  }
  const { lock } = changes.find((change) => change.class === worst)!;
  return { class: worst === 'rewrite' ? 'rewrite' : 'free', lock, changes: reported };
}

/** A difference between a table of the target and its definition that the table's file resolves. */
interface Change extends Pick<ReturnType<typeof changeFacts>, 'what' | 'class' | 'lock'> {
  /** Column of the target whose type changes. */
  readonly retyped?: string;
}

function changesOf(
  file: MigrationFile,
  schema: string,
  table: ReplicatedTable,
  structures: Structures,
): readonly Change[] {
  const before = structures.find(schema, table.name)?.relation;
  if (!before) return [];
  const isFinal = file.category === 'tables';
  if (before.kind !== 'table')
    return [{ what: `is a ${before.kind}, expected a table`, class: 'unsafe', lock: '' }];
  const changes = diffTables([tableOf(before, table)], [table])
    .filter((change) => change.class !== 'informational' && (isFinal || hasStaging(change)))
    .map((change) => ({
      ...changeFacts(change),
      ...(change.kind === 'type changed' && { retyped: change.before.name }),
    }));
  const staging = structures.find(schema, table.names.staging)?.relation;
  const byHand = findHandRenames(table.columns, before.columns, staging?.columns ?? []).map(
    ({ name, old }): Change => ({
      what: `column "${old}" looks like "${name}", renamed by hand`,
      class: 'unsafe',
      lock: '',
    }),
  );
  const lacksKey = isFinal && table.key && !before.indexes.some(({ primary }) => primary);
  return [...(isFinal ? byHand : []), ...changes, ...(lacksKey ? [LACKS_KEY] : [])];
}

const LACKS_KEY: Change = {
  what: 'its primary key is added again',
  class: 'rewrite',
  lock: 'ACCESS EXCLUSIVE during the rewrite',
};

/** Lists the columns of a plan whose types change. Objects that use them may block the change. */
export function listRetyped(
  runs: readonly SchemaRun[],
  structures: Structures,
): readonly RetypedColumn[] {
  return runs.flatMap(({ schema, files }) =>
    files.flatMap((file) => {
      const name = relationOf(file);
      if (!file.table || name === undefined) return [];
      return changesOf(file, schema, file.table, structures).flatMap(({ retyped }) =>
        retyped === undefined ? [] : { schema, name, column: retyped },
      );
    }),
  );
}

function hasStaging(change: TableChange): boolean {
  return renderClauses(change).staging.length > 0;
}

type Relation = NonNullable<ReturnType<Structures['find']>>['relation'];

/**
 * Builds a definition of a table as it is in the target. Properties that no catalog has come from the current
 * definition.
 */
function tableOf({ columns, indexes }: Relation, table: ReplicatedTable): ReplicatedTable {
  const primary = indexes.find((index) => index.primary);
  const known = new Map(
    table.columns.flatMap((column) =>
      [column.name, ...(column.formerly ?? [])].map((name) => [name, column] as const),
    ),
  );
  return {
    ...table,
    columns: columns.map(({ name, type, nullable, default: expression }) => {
      const now = known.get(name);
      // PostgreSQL spells defaults in its own way.
      const initial = expression === null ? undefined : (now?.default ?? expression);
      const { default: _, ...facts } = now ?? { role: 'source' as const };
      return { ...facts, name, type, nullable, ...(initial !== undefined && { default: initial }) };
    }),
    // A missing key is created again.
    key: primary
      ? { columns: primary.columns, origin: table.key?.origin ?? 'primary key' }
      : table.key,
  };
}
