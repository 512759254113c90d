import { POSITION_COLUMNS } from './metadata-columns.ts';
import { buildStagingColumns } from './staging-columns.ts';
import type { ColumnDefinition, ReplicatedTable } from './table-definition.ts';

/** What the files of a table create in its schema. */
export interface TableStructure {
  readonly final: RelationStructure;
  readonly staging: StagingStructure;
  readonly routines: TableRoutines;
}

/** A staging table, whose trigger notes that events are waiting. */
export interface StagingStructure extends RelationStructure {
  readonly triggers: readonly [TriggerStructure];
}

/** The routines of a table. */
export interface TableRoutines {
  /** Writes the events of a window. */
  readonly mergeWindow: RoutineStructure;
  readonly mergeProcedure: RoutineStructure;
}

/** A relation, as a definition wants it or as a target has it. */
export interface RelationStructure {
  readonly name: string;
  readonly kind: 'table' | 'view' | 'other';
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  /** Whether the role of the files may insert. */
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
  /** As `format_type` spells it. */
  readonly type: string;
  readonly nullable: boolean;
  /** SQL expression; of a target as `pg_get_expr` spells it, also of a generated column. */
  readonly default: string | null;
  /** Names that it had before, newest first; a target does not have them. */
  readonly formerly?: readonly string[];
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
  /** How PostgreSQL stores it: `btree`. */
  readonly method: string;
  /** The configuration asks for it; a target does not say so. */
  readonly declared?: true;
}

/** A trigger of a relation. */
export interface TriggerStructure {
  readonly name: string;
  /** In which sessions it fires; `origin`: not in those whose `session_replication_role` is `replica`. */
  readonly fires: 'always' | 'origin' | 'replica' | 'never';
  /** `tgtype` of pg_trigger: 4 is AFTER INSERT FOR EACH STATEMENT. */
  readonly type: number;
  readonly function: string;
  /** Bytes in hexadecimal, each argument with a zero byte behind it. */
  readonly arguments: string;
}

/** A routine of a table, which only its owner may execute, and the role of the files where `canExecute` says so. */
export interface RoutineStructure {
  readonly name: string;
  readonly kind: 'function' | 'procedure';
  readonly arguments: readonly { readonly name: string; readonly type: string }[];
  readonly canExecute: boolean;
}

/** Builds what the files of a table create: renderers render it, `check` compares it with the target. */
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
 * Builds the indexes of a final table: the one by which readers ask for what is new, and the key; without a key that of the
 * position of a row in its stream; then those that the configuration asks for.
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
 * @param early columns that go to its front, as `buildStagingColumns` takes them.
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

type Column = Pick<ColumnDefinition, 'name' | 'type' | 'nullable' | 'default' | 'formerly'>;

function buildColumn({ name, type, nullable, formerly, ...column }: Column): ColumnStructure {
  return { name, type, nullable, default: column.default ?? null, ...(formerly && { formerly }) };
}
