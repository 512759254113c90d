import { quoteQualified } from '@cdc-migrations/sql-text';
import {
  DELETED_AT,
  sqlSchema,
  stagingType,
  type AnyColumn,
  type ChangeKind,
  type ChangeOf,
  type ReplicatedTable,
  type TableChange,
} from '@cdc-migrations/table-defs';
import { formatClause } from './clause-formats.ts';

/** ALTER TABLE clauses of a change, for the final table and the staging table. */
export interface ChangeClauses {
  readonly final: readonly string[];
  readonly staging: readonly string[];
}

/**
 * Renders the ALTER TABLE clauses of a change for a table with rows: `ADD COLUMN "Ny" integer`. A refused change gets
 * the clauses that it would need.
 */
export function renderClauses(change: TableChange): ChangeClauses {
  if (change.table.kind === 'existing') return NOTHING;
  const render = CLAUSES[change.kind] as (change: TableChange) => ChangeClauses;
  return render(change);
}

/**
 * Renders the statements that migrate a final table and its staging table: renames, then one ALTER TABLE per table for
 * all other changes. A new column whose rows get a constant has no default afterwards.
 */
export function renderAlterTables(
  table: ReplicatedTable,
  changes: readonly TableChange[],
): readonly string[] {
  const schema = sqlSchema(table);
  const clauses = changes.map((change) => ({ change, ...renderClauses(change) }));
  const alter = (name: string, side: keyof ChangeClauses) => {
    const target = `ALTER TABLE ${quoteQualified(schema, name)}`;
    const renames = clauses.filter(({ change }) => change.kind === 'column renamed');
    const others = clauses.filter(({ change }) => change.kind !== 'column renamed');
    const rest = others.flatMap((one) => one[side]).join(',\n  ');
    return [
      ...renames.flatMap((one) => one[side]).map((clause) => `${target} ${clause};`),
      ...(rest === '' ? [] : [`${target}\n  ${rest};`]),
    ];
  };
  return [
    ...alter(table.name, 'final'),
    ...alter(table.names.staging, 'staging'),
    ...changes
      .flatMap(droppedDefault)
      .map((clause) => `ALTER TABLE ${quoteQualified(schema, table.name)} ${clause};`),
  ];
}

function droppedDefault(change: TableChange): readonly string[] {
  if (change.kind !== 'column added' || !('backfill' in change.after)) return [];
  const { name, backfill, default: initial } = change.after;
  return backfill === undefined || initial !== undefined ? [] : [formatClause('dropDefault', name)];
}

const NOTHING: ChangeClauses = { final: [], staging: [] };

const CLAUSES: { readonly [Kind in ChangeKind]: (change: ChangeOf<Kind>) => ChangeClauses } = {
  'table added': () => NOTHING,
  'table removed': () => NOTHING,
  'table redefined': () => NOTHING,
  'column added': ({ after }) => {
    const own = 'default' in after ? after.default : undefined;
    const initial = own ?? ('backfill' in after ? after.backfill : undefined);
    const value = initial === undefined ? '' : ` DEFAULT ${initial}`;
    const notNull = initial === undefined || after.nullable ? '' : ' NOT NULL';
    return {
      final: [`${formatClause('addColumn', after.name, after.type)}${value}${notNull}`],
      staging: ifStaged(after, formatClause('addColumn', after.name, stagingType(after))),
    };
  },
  'column removed': ({ before, class: change }) =>
    change === 'free' ? { ...NOTHING, final: [formatClause('dropNotNull', before.name)] } : NOTHING,
  'column renamed': ({ before, after }) => {
    const clause = formatClause('renameColumn', before.name, after.name);
    return { final: [clause], staging: ifStaged(after, clause) };
  },
  'type changed': ({ before, after }) => {
    const staged = stagingType(after);
    return {
      final: [formatClause('alterType', after.name, after.type)],
      staging:
        staged === stagingType(before)
          ? []
          : ifStaged(after, formatClause('alterType', after.name, staged)),
    };
  },
  'nullability changed': ({ after }) =>
    after.nullable ? { ...NOTHING, final: [formatClause('dropNotNull', after.name)] } : NOTHING,
  'default changed': ({ after }) => {
    const initial = 'default' in after ? after.default : undefined;
    const clause =
      initial === undefined
        ? formatClause('dropDefault', after.name)
        : formatClause('setDefault', after.name, initial);
    return { ...NOTHING, final: [clause] };
  },
  'column redefined': () => NOTHING,
  'key changed': () => NOTHING,
  'partitions changed': () => NOTHING,
};

/** Omits a clause for the deletion time, which staging tables do not have. */
function ifStaged({ name }: AnyColumn, clause: string): readonly string[] {
  return name === DELETED_AT.name ? [] : [clause];
}
