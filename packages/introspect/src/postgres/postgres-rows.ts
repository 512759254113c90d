/** Rows of PostgreSQL's catalog, as returned by the queries in `catalog-queries.ts`. */
export interface PostgresCatalogRows {
  readonly tables: readonly TableRow[];
  /** In the order of the table's columns. */
  readonly columns: readonly ColumnRow[];
  readonly types: readonly TypeRow[];
  readonly indexes: readonly IndexRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
}

export interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly published: boolean;
}

export interface ColumnRow {
  readonly table: number;
  readonly name: string;
  readonly type: number;
  /** `atttypmod`, -1 for a type without facets. */
  readonly modifier: number;
  readonly dimensions: number;
  readonly not_null: boolean;
  readonly identity: boolean;
  readonly generated: boolean;
  /** Default, or expression of a generated column. */
  readonly expression: string | null;
  readonly collation: string | null;
}

export interface TypeRow {
  readonly oid: number;
  /** Spelling of `format_type` without facets, with the schema for a type outside of pg_catalog. */
  readonly name: string;
  /** Schema and name. */
  readonly declared: string;
  /** Name in `pg_type`. */
  readonly bare: string;
  readonly kind: 'base' | 'array' | 'domain' | 'enum';
  /** Element type of an array or base type of a domain, else 0. */
  readonly inner: number;
  readonly modifier: number;
  readonly dimensions: number;
  readonly not_null: boolean;
}

export interface IndexRow {
  readonly table: number;
  readonly name: string;
  readonly primary: boolean;
  readonly columns: readonly string[];
  readonly filter: string | null;
}

export interface ForeignKeyRow {
  readonly table: number;
  readonly name: string;
  readonly columns: readonly string[];
  readonly schema: string;
  readonly referred: string;
  readonly referred_columns: readonly string[];
}
