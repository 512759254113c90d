import * as v from 'valibot';

/** Ids and sizes. Drivers return a bigint as text. */
const integer = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.nonEmpty()), v.bigint()]),
  v.transform(Number),
  v.safeInteger(),
);
const name = v.pipe(v.string(), v.nonEmpty());
/** `bit`: true and false, or 1 and 0. */
const bit = v.pipe(v.union([v.boolean(), v.picklist([0, 1])]), v.transform(isSet));
/** A `bit` that older and compatible servers do not have. It is false there. */
const optionalBit = v.pipe(
  v.nullish(v.union([v.boolean(), v.picklist([0, 1])]), false),
  v.transform(isSet),
);
const optionalText = v.nullish(v.string(), null);

/** Columns that are read from each view. The rest of a row is ignored. */
const VIEWS = {
  databases: v.object({ name, collation_name: optionalText }),
  schemas: v.object({ schema_id: integer, name }),
  types: v.object({
    name,
    system_type_id: integer,
    user_type_id: integer,
    schema_id: v.nullish(integer, null),
    is_user_defined: optionalBit,
    is_assembly_type: optionalBit,
  }),
  tables: v.object({
    object_id: integer,
    name,
    schema_id: integer,
    is_tracked_by_cdc: optionalBit,
  }),
  columns: v.object({
    object_id: integer,
    column_id: integer,
    name,
    system_type_id: integer,
    user_type_id: integer,
    max_length: integer,
    precision: integer,
    scale: integer,
    collation_name: optionalText,
    is_nullable: bit,
    is_identity: optionalBit,
    is_computed: optionalBit,
    is_column_set: optionalBit,
  }),
  computed_columns: v.object({ object_id: integer, column_id: integer, definition: optionalText }),
  identity_columns: v.object({ object_id: integer, column_id: integer }),
  default_constraints: v.object({
    parent_object_id: integer,
    parent_column_id: integer,
    definition: optionalText,
  }),
  indexes: v.object({
    object_id: integer,
    index_id: integer,
    name: optionalText,
    is_unique: optionalBit,
    is_primary_key: optionalBit,
    is_disabled: optionalBit,
    is_hypothetical: optionalBit,
    has_filter: optionalBit,
    filter_definition: optionalText,
  }),
  index_columns: v.object({
    object_id: integer,
    index_id: integer,
    column_id: integer,
    key_ordinal: integer,
    is_included_column: optionalBit,
  }),
  foreign_keys: v.object({
    object_id: integer,
    name,
    parent_object_id: integer,
    referenced_object_id: integer,
  }),
  foreign_key_columns: v.object({
    constraint_object_id: integer,
    constraint_column_id: integer,
    parent_column_id: integer,
    referenced_column_id: integer,
  }),
};

/** Name of a catalog view without `sys.`. */
export type MssqlView = keyof typeof VIEWS;

/** A row of `sys.<view>`. The columns have the names in SQL Server's documentation. */
export type MssqlRow<K extends MssqlView> = Readonly<v.InferOutput<(typeof VIEWS)[K]>>;

/**
 * Rows of the catalog views of one SQL Server database, by name of the view without `sys.`.
 * https://learn.microsoft.com/sql/relational-databases/system-catalog-views/object-catalog-views-transact-sql
 */
export type MssqlCatalogRows = { readonly [K in MssqlView]: readonly MssqlRow<K>[] };

/** Thrown with every row that does not have the shape of its view. */
export class MssqlRowsError extends Error {
  override readonly name = 'MssqlRowsError';
  constructor(readonly problems: readonly string[]) {
    const more = problems.length > 20 ? [`and ${problems.length - 20} more`] : [];
    super([...problems.slice(0, 20), ...more].join('\n'));
  }
}

/** Views that a catalog needs. Every other view can be missing and then has no rows. */
const REQUIRED: readonly MssqlView[] = ['schemas', 'types', 'tables', 'columns'];

/**
 * Parses rows of catalog views from JSON or a driver: `{"sys.tables": [{"object_id": 1, "name": "Actor", …}], …}`.
 * Throws MssqlRowsError.
 */
export function parseMssqlCatalogRows(json: unknown): MssqlCatalogRows {
  const result = v.safeParse(SCHEMA, json);
  if (!result.success) throw new MssqlRowsError(result.issues.map(formatIssue));
  const views = Object.keys(VIEWS).map((view) => [view, result.output[`sys.${view}`]]);
  return Object.fromEntries(views) as MssqlCatalogRows;
}

const SCHEMA = v.object(
  Object.fromEntries(
    Object.entries<v.GenericSchema>(VIEWS).map(([view, row]) => {
      const rows = v.array(row);
      const isRequired = REQUIRED.some((required) => required === view);
      return [`sys.${view}`, isRequired ? rows : v.nullish(rows, [])];
    }),
  ),
);

function formatIssue(issue: v.BaseIssue<unknown>): string {
  const location = issue.path?.map(({ key }) => String(key)).join(' ') ?? 'catalog';
  return `${location}: expected ${issue.expected ?? 'another value'}, received ${issue.received}`;
}

function isSet(value: boolean | 0 | 1): boolean {
  return value === true || value === 1;
}
