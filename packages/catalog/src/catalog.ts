/** Kinds of source databases. */
export type SourceType = 'mssql' | 'postgres';

/** Layout of customers: one database per customer (`db-per-tenant`), or all customers in one database (`db-shared`). */
export type Pattern = 'db-per-tenant' | 'db-shared';

/** The structure of one schema of one source database. A snapshot file holds one catalog. */
export interface Catalog {
  readonly database: string;
  readonly schema: string;
  readonly type: SourceType;
  readonly pattern: Pattern;
  /** Default collation of the database. */
  readonly collation?: string;
  /** Hash of the other properties, calculated by the source. It changes only if the structure changes. */
  readonly fingerprint?: string;
  /** Sorted by name. */
  readonly tables: readonly CatalogTable[];
}

/** A source table with its columns and keys. */
export interface CatalogTable {
  readonly name: string;
  /** In the order of the source. */
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey?: CatalogKey;
  /** Unique indexes and constraints other than the primary key, sorted by name. */
  readonly uniqueIndexes: readonly CatalogUniqueIndex[];
  readonly foreignKeys: readonly CatalogForeignKey[];
  /** True if change data capture reads this table. */
  readonly tracked?: boolean;
}

/** A column of a source table as the source declares it. */
export interface CatalogColumn {
  readonly name: string;
  /** Base type in lower case under the source's name, without facets: `nvarchar`, `numeric`. */
  readonly type: string;
  /** Characters for a character type, bytes for a binary type, bits for a bit string. */
  readonly length?: number | 'max';
  readonly precision?: number;
  /** Digits after the decimal point. For a time type, digits of the fractional seconds. */
  readonly scale?: number;
  /** Number of array dimensions (PostgreSQL). */
  readonly array?: number;
  /** Name of the alias type, domain or enum that the column is declared with: `dbo.Url`. */
  readonly declaredAs?: string;
  readonly declaredKind?: 'alias' | 'domain' | 'enum' | 'clr';
  readonly nullable: boolean;
  readonly identity?: boolean;
  /** Expression of a computed or stored generated column. */
  readonly computed?: string;
  readonly default?: string;
  /** Set only if it differs from the collation of the database. */
  readonly collation?: string;
}

/** A key of a source table with its columns in order. */
export interface CatalogKey {
  readonly name: string;
  readonly columns: readonly string[];
}

/** A unique index or constraint other than the primary key. */
export interface CatalogUniqueIndex extends CatalogKey {
  /** Predicate of a filtered (partial) index. */
  readonly filter?: string;
}

/** A foreign key of a source table. */
export interface CatalogForeignKey extends CatalogKey {
  readonly references: {
    readonly schema: string;
    readonly table: string;
    readonly columns: readonly string[];
  };
}
