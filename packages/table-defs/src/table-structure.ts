import { POSITION_COLUMNS } from './metadata-columns.ts';
import { buildStagingColumns } from './staging-columns.ts';
import type { ColumnDefinition, ReplicatedTable } from './table-definition.ts';

/** Objects that the files of a table create in its schema. */
export interface TableStructure {
  readonly final: RelationStructure;
  readonly staging: StagingStructure;
  readonly routines: TableRoutines;
}

/** A staging table. Its trigger marks it as having new events. */
export interface StagingStructure extends RelationStructure {
  readonly triggers: readonly [TriggerStructure];
}

/** The routines of a table. */
export interface TableRoutines {
  /** Merges the events of a window. */
  readonly mergeWindow: RoutineStructure;
  readonly mergeProcedure: RoutineStructure;
}

/** A relation as defined, or as found in a target. */
export interface RelationStructure {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'other';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  /** True if the role of the files has the INSERT privilege. */
  readonly canInsert: boolean;
  readonly columns: readonly ColumnStructure[];
  readonly indexes: readonly IndexStructure[];
  readonly triggers: readonly TriggerStructure[];
  /** Names of check and foreign key constraints. */
  readonly constraints: readonly string[];
}

/** A column of a relation. */
export interface ColumnStructure {
  readonly name: string;
  /** As printed by `format_type`. */
  readonly type: string;
  readonly nullable: boolean;
  /**
   * SQL expression. In a target it is spelled as by `pg_get_expr`, and is also the expression of a generated column.
   */
  readonly default: string | null;
  /** Earlier names, newest first. Unknown in a target. */
  readonly formerly?: readonly string[];
  /** Constant for rows without a value. Unknown in a target. */
  readonly backfill?: string;
}

/** An index of a relation. */
export interface IndexStructure {
  readonly name: string;
  readonly columns: readonly string[];
  readonly primary: boolean;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly valid: boolean;
  /** Condition of a partial index. */
  readonly where: string | null;
  /** Index method of PostgreSQL: `btree`. */
  readonly method: string;
  /** Set if the configuration declares the index. Unknown in a target. */
  readonly declared?: true;
}

/** A trigger of a relation. */
export interface TriggerStructure {
  readonly name: string;
  /** Sessions in which it fires. `origin` excludes sessions with `session_replication_role` set to `replica`. */
  readonly fires: 'always' | 'origin' | 'replica' | 'never';
  /** `tgtype` of pg_trigger. 4 is AFTER INSERT FOR EACH STATEMENT. */
  readonly type: number;
  readonly function: string;
  /** Bytes in hexadecimal, with a zero byte after each argument. */
  readonly arguments: string;
}

/** A routine of a table. Only its owner may execute it, and the role of the files if `canExecute` is set. */
export interface RoutineStructure {
  readonly name: string;
  readonly kind: 'function' | 'procedure';
  readonly arguments: readonly { readonly name: string; readonly type: string }[];
  readonly canExecute: boolean;
}

/**
 * Builds the objects that the files of a table create. Renderers render them, and `check` compares them with the
 * target.
 */
export function buildStructure(table: ReplicatedTable): TableStructure {
  return {
    final: buildFinal(table),
    staging: buildStaging(table),
    routines: buildRoutines(table),
  };
}

/** Builds the routines of a table. */
export function buildRoutines({ names }: Pick<ReplicatedTable, 'names'>): TableRoutines {
  return {
    mergeWindow: {
      name: names.mergeWindow,
      kind: 'function',
      arguments: [
        { name: 'p_from', type: 'tid' },
        { name: 'p_to', type: 'tid' },
        { name: 'p_generation', type: 'integer' },
        { name: 'p_lanes', type: 'integer' },
        { name: 'p_lane', type: 'integer' },
      ],
      canExecute: false,
    },
    mergeProcedure: {
      name: names.mergeProcedure,
      kind: 'procedure',
      arguments: [],
      canExecute: true,
    },
  };
}

/** Builds the final table. */
export function buildFinal(table: ReplicatedTable): RelationStructure {
  return {
    name: table.name,
    kind: 'table',
    persistence: 'permanent',
    canInsert: false,
    columns: table.columns.map(buildColumn),
    indexes: buildIndexes(table),
    triggers: [],
    constraints: [],
  };
}

/**
 * Builds the indexes of a final table: the index for readers of new rows, the key or (without a key) the stream
 * position of a row, and the indexes declared in the configuration.
 */
export function buildIndexes({
  names,
  key,
  indexes = [],
}: ReplicatedTable): readonly IndexStructure[] {
  const plain = {
    primary: false,
    unique: false,
    nullsNotDistinct: false,
    valid: true,
    where: null,
    method: 'btree',
  };
  return [
    { ...plain, name: names.syncIndex, columns: ['__sync_timestamp'] },
    key
      ? { ...plain, name: names.primaryKey, columns: key.columns, primary: true, unique: true }
      : {
          ...plain,
          name: names.positionIndex,
          columns: POSITION_COLUMNS,
          unique: true,
          nullsNotDistinct: true,
        },
    ...indexes.map(({ unique, ...index }): IndexStructure => ({
      ...plain,
      ...index,
      unique: unique ?? false,
      declared: true,
    })),
  ];
}

/** `tgtype` of AFTER INSERT FOR EACH STATEMENT. */
const AFTER_INSERT_STATEMENT = 4;

/**
 * Builds the staging table.
 *
 * @param early columns to put first, as in `buildStagingColumns`.
 */
export function buildStaging(
  table: ReplicatedTable,
  early: readonly string[] = [],
): StagingStructure {
  const { name, names, staging } = table;
  return {
    name: names.staging,
    kind: 'table',
    persistence: staging === 'logged' ? 'permanent' : 'unlogged',
    canInsert: true,
    columns: buildStagingColumns(table, early).map((column) =>
      buildColumn({ ...column, nullable: true }),
    ),
    indexes: [],
    triggers: [
      {
        name: names.trigger,
        fires: 'always',
        type: AFTER_INSERT_STATEMENT,
        function: 'cdc_management.note_staged',
        arguments: Buffer.from(`${name}\0`).toString('hex'),
      },
    ],
    constraints: [],
  };
}

type Column = Pick<
  ColumnDefinition,
  'name' | 'type' | 'nullable' | 'default' | 'formerly' | 'backfill'
>;

function buildColumn({ name, type, nullable, ...column }: Column): ColumnStructure {
  const { default: initial = null, formerly, backfill } = column;
  return {
    ...{ name, type, nullable, default: initial },
    ...(formerly && { formerly }),
    ...(backfill !== undefined && { backfill }),
  };
}

/**
 * Renders a column as JSON for the procedures of `cdc_management` that converge a table: name, type, NOT NULL, default,
 * and, if there are any, earlier names and the constant for rows without a value. Examples:
 * `["navn", "text", false, null, ["name"]]`, `["land", "text", true, null, [], "'NO'"]`.
 */
export function columnEntry({
  name,
  type,
  nullable,
  default: initial = null,
  formerly,
  backfill,
}: Omit<ColumnStructure, 'default'> & { readonly default?: string | null }): string {
  const optional = backfill === undefined ? formerly && [formerly] : [formerly ?? [], backfill];
  const entry = [name, type, !nullable, initial, ...(optional ?? [])];
  return `[${entry.map((value) => JSON.stringify(value)).join(', ')}]`;
}
