import type { CatalogColumn, CatalogTable } from '@cdc-migrations/catalog';
import { buildValue, createRandom, type Random } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteLiteral } from '@cdc-migrations/sql-text';
import { mapType } from '@cdc-migrations/table-defs';

const LARGE_LENGTH = 3000;
const NO_OVERRIDES = { overrides: undefined, table: '' };

export interface Traffic {
  readonly statements: number;
  /** Number of rows that an update or a delete chooses from, in key order. */
  readonly picked: number;
  readonly largeChance: number;
  /**
   * Allows keys to change in tables that log the old row. By default the seed decides, and also sets the replica
   * identity.
   */
  readonly changesKeys?: boolean;
}

const TRAFFIC: Traffic = { statements: 150, picked: 50, largeChance: 0.3 };

export interface ChangedTable {
  /** `"<schema>"."<table>"` */
  readonly name: string;
  readonly table: CatalogTable;
  /** Labels of enums by the name of the type. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/**
 * Renders random changes to a source table: inserts, updates of some columns, deletes, and updates of keys if the
 * table's replica identity is FULL.
 */
export function renderChanges(table: ChangedTable, seed: number, traffic = TRAFFIC): string {
  const random = createRandom(seed);
  const { statements: count } = traffic;
  const changesKeys = traffic.changesKeys ?? random.chance(0.5);
  const identity =
    changesKeys && traffic.changesKeys === undefined
      ? [`ALTER TABLE ${table.name} REPLICA IDENTITY FULL`]
      : [];
  const changed = { ...table, ...traffic };
  const statements = Array.from({ length: count }, (_, index) => {
    if (index < count / 3 || random.chance(0.2)) return renderInsert(changed, random);
    if (random.chance(0.2))
      return `DELETE FROM ${changed.name} WHERE ${renderPick(changed, random)}`;
    return renderUpdate(changed, random, changesKeys && random.chance(0.1));
  });
  return [...identity, ...statements].join(';\n');
}

type Changed = ChangedTable & Traffic;

function renderInsert(changed: Changed, random: Random): string {
  const columns = writtenColumns(changed);
  const values = columns.map((column) => renderValue(changed, column, random));
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  return (
    `INSERT INTO ${changed.name} (${names}) OVERRIDING SYSTEM VALUE` +
    ` VALUES (${values.join(', ')}) ON CONFLICT DO NOTHING`
  );
}

function renderUpdate(changed: Changed, random: Random, withKey: boolean): string {
  const columns = writtenColumns(changed).filter(
    (column) => column.identity !== true && (withKey || !isKey(changed, column)),
  );
  const some = random.shuffle(columns).slice(0, random.integer(1, 2));
  const list = some.map(
    (column) => `${quoteIdentifier(column.name)} = ${renderValue(changed, column, random)}`,
  );
  const update = `UPDATE ${changed.name} SET ${list.join(', ')} WHERE ${renderPick(changed, random)}`;
  if (!withKey) return update;
  return `DO $change$ BEGIN ${update}; EXCEPTION WHEN unique_violation THEN NULL; END $change$`;
}

/** Renders a condition for at most one row. */
function renderPick({ name, table, picked }: Changed, random: Random): string {
  const order = table.primaryKey!.columns.map(quoteIdentifier).join(', ');
  const offset = random.integer(0, picked);
  return `ctid = (SELECT ctid FROM ${name} ORDER BY ${order} LIMIT 1 OFFSET ${offset})`;
}

function writtenColumns({ table }: ChangedTable): readonly CatalogColumn[] {
  return table.columns.filter(({ computed }) => computed === undefined);
}

function isKey({ table }: ChangedTable, { name }: CatalogColumn): boolean {
  return table.primaryKey!.columns.includes(name);
}

function renderValue(changed: Changed, column: CatalogColumn, random: Random): string {
  if (column.nullable && random.chance(0.15)) return 'NULL';
  return quoteLiteral(
    isKey(changed, column) ? buildKeyText(column, random) : buildText(changed, column, random),
  );
}

/** Builds a text that is short enough for an index. */
function buildKeyText(column: CatalogColumn, random: Random): string {
  return buildValue(column.type === 'text' ? 'character varying(100)' : typeOf(column), random);
}

function buildText(
  { labels, largeChance }: Changed,
  column: CatalogColumn,
  random: Random,
): string {
  const { type, array, declaredAs = '' } = column;
  if (column.declaredKind === 'enum') return random.pick(labels.get(declaredAs)!);
  if (column.declaredKind === 'domain') return random.digits(11);
  if (type === 'money') return `${random.integer(-1e9, 1e9)}.${random.digits(2)}`;
  if (type === 'bit varying')
    return random.chance(0.1) ? '' : `1${random.digits(40).replace(/[2-9]/g, '0')}`;
  if (type === 'timestamp with time zone')
    return `${buildValue('timestamp without time zone', random)}Z`;
  if (random.chance(largeChance)) {
    const large = LARGE[type]?.(random);
    if (large !== undefined) return array ? `{"${large.replaceAll('"', '\\"')}","1"}` : large;
  }
  return buildValue(typeOf(column), random);
}

/** Returns true if a column can have values that the log omits while they are unchanged. */
export function canBeLarge({ type }: CatalogColumn): boolean {
  return type in LARGE;
}

/** Builders for values that are stored out of line: too long for a page, and incompressible. */
const LARGE: Readonly<Record<string, (random: Random) => string>> = {
  text: (random) => buildLarge(random),
  bytea: (random) => `\\x${buildLarge(random)}`,
  jsonb: (random) => `{"large": "${buildLarge(random)}"}`,
  xml: (random) => `<large>${buildLarge(random)}</large>`,
};

function buildLarge(random: Random): string {
  const hex = () => random.integer(0, 0xffff).toString(16).padStart(4, '0');
  return Array.from({ length: LARGE_LENGTH }, hex).join('');
}

function typeOf(column: CatalogColumn): string {
  return mapType('postgres', column, NO_OVERRIDES)!.type;
}
