/** Databases that can be a source. */
export type SourceType = 'mssql' | 'postgres';

/** How customers are spread: a database for each (`db-per-tenant`), or all in one (`db-shared`). */
export type Pattern = 'db-per-tenant' | 'db-shared';

/** What the source said of one schema of one database: the content of a snapshot file. */
export interface Catalog {
  readonly database: string;
  readonly schema: string;
  readonly type: SourceType;
  readonly pattern: Pattern;
  /** Default collation of the database. */
  readonly collation?: string;
  /** Hash that the source gives of all that is below; equal as long as nothing of it changes. */
  readonly fingerprint?: string;
  /** In order of name. */
  readonly tables: readonly CatalogTable[];
}

/** A source table with its columns and keys. */
export interface CatalogTable {
  readonly name: string;
  /** In order of the source. */
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey?: CatalogKey;
  /** Unique indexes and constraints other than the primary key, in order of name. */
  readonly uniqueIndexes: readonly CatalogUniqueIndex[];
  readonly foreignKeys: readonly CatalogForeignKey[];
  /** Whether change data capture reads this table. */
  readonly tracked?: boolean;
}

/** A column of a source table, as the source declares it. */
export interface CatalogColumn {
  readonly name: string;
  /** Base type in lower case as the source names it, without facets: `nvarchar`, `numeric`. */
  readonly type: string;
  /** Characters of a character type, bytes of a binary one, bits of a bit string. */
  readonly length?: number | 'max';
  readonly precision?: number;
  /** Digits after the point; of a time, digits of the second. */
  readonly scale?: number;
  /** Dimensions of an array (PostgreSQL). */
  readonly array?: number;
  /** Alias type, domain or enum that the column is declared with: `dbo.Url`. */
  readonly declaredAs?: string;
  readonly declaredKind?: 'alias' | 'domain' | 'enum' | 'clr';
  readonly nullable: boolean;
  readonly identity?: boolean;
  /** Expression of a computed or stored generated column. */
  readonly computed?: string;
  readonly default?: string;
  /** Where it differs from the database's. */
  readonly collation?: string;
}

/** A key of a source table: its columns in order. */
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
