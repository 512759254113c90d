/** A value of a catalog file. */
export type CatalogValue = string | number | boolean | null;

/** A row of a view, by column name; a column that is left out has its usual value. */
export type CatalogRow = Readonly<Record<string, CatalogValue>>;

/** What the views of one database hold, by view name: `{ "sys.tables": [{ "object_id": 1, "name": "Actor" }] }`. */
export type MssqlCatalog = Readonly<Record<string, readonly CatalogRow[]>>;
