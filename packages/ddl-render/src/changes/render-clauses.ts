import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
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
 * all other changes.
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
  return [...alter(table.name, 'final'), ...alter(table.names.staging, 'staging')];
}

const NOTHING: ChangeClauses = { final: [], staging: [] };

const CLAUSES: { readonly [Kind in ChangeKind]: (change: ChangeOf<Kind>) => ChangeClauses } = {
  'table added': () => NOTHING,
  'table removed': () => NOTHING,
  'table redefined': () => NOTHING,
  'column added': ({ after }) => {
    const add = `ADD COLUMN ${quoteIdentifier(after.name)}`;
    const initial = 'default' in after ? after.default : undefined;
    const value = initial === undefined ? '' : ` DEFAULT ${initial}`;
    const notNull = initial === undefined || after.nullable ? '' : ' NOT NULL';
    return {
      final: [`${add} ${after.type}${value}${notNull}`],
      staging: ifStaged(after, `${add} ${stagingType(after)}`),
    };
  },
  'column removed': ({ before, class: change }) =>
    change === 'free' ? { ...NOTHING, final: [dropNotNull(before)] } : NOTHING,
  'column renamed': ({ before, after }) => {
    const clause = `RENAME COLUMN ${quoteIdentifier(before.name)} TO ${quoteIdentifier(after.name)}`;
    return { final: [clause], staging: ifStaged(after, clause) };
  },
  'type changed': ({ before, after }) => {
    const alter = `ALTER COLUMN ${quoteIdentifier(after.name)} TYPE`;
    const staged = stagingType(after);
    return {
      final: [`${alter} ${after.type}`],
      staging: staged === stagingType(before) ? [] : ifStaged(after, `${alter} ${staged}`),
    };
  },
  'nullability changed': ({ after }) =>
    after.nullable ? { ...NOTHING, final: [dropNotNull(after)] } : NOTHING,
  'default changed': ({ after }) => {
    const initial = 'default' in after ? after.default : undefined;
    const set = initial === undefined ? 'DROP DEFAULT' : `SET DEFAULT ${initial}`;
    return { ...NOTHING, final: [`ALTER COLUMN ${quoteIdentifier(after.name)} ${set}`] };
  },
  'column redefined': () => NOTHING,
  'key changed': () => NOTHING,
  'partitions changed': () => NOTHING,
};

function dropNotNull({ name }: AnyColumn): string {
  return `ALTER COLUMN ${quoteIdentifier(name)} DROP NOT NULL`;
}

/** Omits a clause for the deletion time, which staging tables do not have. */
function ifStaged({ name }: AnyColumn, clause: string): readonly string[] {
  return name === DELETED_AT.name ? [] : [clause];
}
