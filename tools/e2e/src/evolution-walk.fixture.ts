import { buildValue, type Random } from '@cdc-migrations/event-model';
import {
  classifyTypeChange,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { columnOf, tableOf } from './evolution.fixture.ts';

/** Column types with defaults. */
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  smallint: ['0', '1'],
  integer: ['0', '-1'],
  bigint: ['0', '7'],
  'numeric(9,2)': ['0', '1.5'],
  'numeric(14,4)': ['0', '2.25'],
  numeric: ['0', '-3'],
  real: ['0'],
  'double precision': ['0', '0.5'],
  boolean: ['true', 'false'],
  'character(4)': [`'a'`],
  'character varying(10)': [`''`, `'x'`],
  'character varying(700)': [`'x'`],
  text: [`''`, `'it''s'`],
  date: ['CURRENT_DATE', `'2020-01-01'`],
  'timestamp(3) without time zone': ['LOCALTIMESTAMP'],
  'timestamp without time zone': [`'2020-01-01 10:00:00'`],
  'timestamp with time zone': ['now()', 'CURRENT_TIMESTAMP'],
  uuid: ['gen_random_uuid()'],
  bytea: [String.raw`'\x00'`],
  jsonb: [`'{}'`],
  xml: [`'<a/>'`],
};
const TYPES = Object.keys(DEFAULTS);

/** State of a table during a walk. */
interface State {
  readonly columns: readonly ColumnDefinition[];
  readonly key: readonly string[];
  readonly deleteMode: 'hard' | 'soft';
  /** Number of names given so far. */
  readonly names: number;
  /** Names of removed columns, which may return. */
  readonly gone: readonly string[];
}

type Change = (state: State, random: Random) => State;

/** Columns of every key. They are never removed. */
const KEY_COLUMNS = [
  columnOf('id', 'integer', { nullable: false }),
  columnOf('k', 'integer', { nullable: false }),
];

/** Builds definitions of a table, each with a random change of the previous one. */
export function buildWalk(name: string, random: Random): readonly ReplicatedTable[] {
  let state: State = { columns: [], key: ['id'], deleteMode: 'hard', names: 0, gone: [] };
  for (let n = random.integer(0, 4); n > 0; n--) state = addColumn(state, random);
  const states = [state];
  for (let steps = random.integer(2, 10); steps > 0; steps--) {
    state = random.pick(CHANGES)(state, random);
    states.push(state);
  }
  return states.map(({ columns, key, deleteMode }) =>
    tableOf(name, [...KEY_COLUMNS, ...columns], { key, deleteMode }),
  );
}

const addColumn: Change = (state, random) => {
  const isBack = state.gone.length > 0 && random.chance(0.4);
  const name = isBack ? random.pick(state.gone) : `c${state.names}`;
  const column: ColumnDefinition = {
    ...withDefault({ name, role: 'source', type: random.pick(TYPES), nullable: true }, random),
    nullable: random.chance(0.7),
  };
  const at = random.integer(0, state.columns.length);
  return {
    ...state,
    columns: [...state.columns.slice(0, at), column, ...state.columns.slice(at)],
    names: state.names + (isBack ? 0 : 1),
    gone: state.gone.filter((one) => one !== name),
  };
};

const removeColumn: Change = (state, random) => {
  if (state.columns.length === 0) return addColumn(state, random);
  const left = random.pick(state.columns);
  return {
    ...state,
    columns: state.columns.filter((column) => column !== left),
    gone: left.formerly ? state.gone : [...state.gone, left.name],
  };
};

/** Changes a type, usually to one that the files support, sometimes to any. */
const changeType = changeColumn((column, random) => {
  const safe = TYPES.filter((type) =>
    ['free', 'rewrite'].includes(classifyTypeChange(column.type, type)),
  );
  const type = random.pick(safe.length > 0 && random.chance(0.75) ? safe : TYPES);
  const { default: initial, ...rest } = column;
  return initial === undefined
    ? { ...rest, type }
    : { ...rest, type, default: random.pick(DEFAULTS[type]!) };
});

const changeNullability = changeColumn((column) => ({ ...column, nullable: !column.nullable }));

const changeDefault = changeColumn((column, random) => {
  const { default: _, ...rest } = column;
  return random.chance(0.3) ? rest : withDefault(rest, random, 1);
});

const renameColumn: Change = (state, random) => {
  if (state.columns.length === 0) return addColumn(state, random);
  const named = random.pick(state.columns);
  const formerly = [named.name, ...(named.formerly ?? [])];
  const columns = state.columns.map((column) =>
    column === named ? { ...column, name: `c${state.names}`, formerly } : column,
  );
  const gone = state.gone.filter((name) => !formerly.includes(name));
  return { ...state, columns, names: state.names + 1, gone };
};

const changeKey: Change = (state, random) => {
  const keys = [['id'], ['id', 'k'], ['k', 'id'], []];
  return { ...state, key: random.pick(keys) };
};

const changeDeleteMode: Change = (state) => ({
  ...state,
  deleteMode: state.deleteMode === 'hard' ? 'soft' : 'hard',
});

const severalChanges: Change = (state, random) =>
  [addColumn, removeColumn, changeType, changeNullability].reduce(
    (one, change) => change(one, random),
    state,
  );

const CHANGES: readonly Change[] = [
  addColumn,
  addColumn,
  addColumn,
  removeColumn,
  removeColumn,
  changeType,
  changeType,
  changeType,
  changeNullability,
  changeDefault,
  renameColumn,
  changeKey,
  changeDeleteMode,
  severalChanges,
];

function changeColumn(
  change: (column: ColumnDefinition, random: Random) => ColumnDefinition,
): Change {
  return (state, random) => {
    if (state.columns.length === 0) return addColumn(state, random);
    const changed = random.pick(state.columns);
    const columns = state.columns.map((column) =>
      column === changed ? change(column, random) : column,
    );
    return { ...state, columns };
  };
}

function withDefault(column: ColumnDefinition, random: Random, chance = 0.25): ColumnDefinition {
  if (!random.chance(chance)) return column;
  return { ...column, role: 'template', default: random.pick(DEFAULTS[column.type]!) };
}

/** Builds values of an event. Some are NULL, also in NOT NULL columns. */
export function buildEvent(
  { columns }: ReplicatedTable,
  { id, random }: { readonly id: number; readonly random: Random },
): Readonly<Record<string, string | null>> {
  const own = columns.filter(({ role, name }) => role !== 'metadata' && name !== 'id');
  const values = own.map(({ name, type, nullable }) => {
    const isNull = name !== 'k' && random.chance(nullable ? 0.3 : 0.02);
    return [name, isNull ? null : buildValue(type, random)];
  });
  return { id: String(id), ...Object.fromEntries(values) };
}
