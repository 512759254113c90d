import type { Catalog } from '@cdc-migrations/catalog';
import type { CatalogSelection, SourceDatabase, SourceOptions } from './source-database.ts';

/** How catalogs are read. */
export interface ReadCatalogsOptions extends SourceOptions {
  /** Fingerprint of the last reading by schema; where all are equal, nothing more is read. */
  readonly unlessEqual?: ReadonlyMap<string, string>;
  /** What to do where a selected table is not there; an error unless said. */
  readonly missing?: 'refuse' | 'leave out';
}

/** The options as a reader gets them. */
export type ReaderOptions = Required<Omit<ReadCatalogsOptions, 'unlessEqual'>> & {
  readonly unlessEqual: ReadonlyMap<string, string> | undefined;
};

/** What one kind of database does, on a connection that it opens and closes. */
export interface SourceReader {
  /** Catalogs with their fingerprints; undefined where every fingerprint is that of `unlessEqual`. */
  readonly read: (
    source: SourceDatabase,
    selections: readonly CatalogSelection[],
    options: ReaderOptions,
  ) => Promise<readonly Catalog[] | undefined>;
}
