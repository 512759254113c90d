import type { Catalog } from '@cdc-migrations/catalog';
import type { CatalogSelection, SourceDatabase, SourceOptions } from './source-database.ts';

/** Options for reading catalogs. */
export interface ReadCatalogsOptions extends SourceOptions {
  /** Fingerprints from the last read, by schema. If all are unchanged, the catalogs are not read. */
  readonly unlessEqual?: ReadonlyMap<string, string>;
  /** Handling of a selected table that does not exist. The default is an error. */
  readonly missing?: 'refuse' | 'leave out';
}

/** The options with their defaults. */
export type ReaderOptions = Required<Omit<ReadCatalogsOptions, 'unlessEqual'>> & {
  readonly unlessEqual: ReadonlyMap<string, string> | undefined;
};

/** Reader for one kind of database. It opens and closes its connection. */
export interface SourceReader {
  /** Reads catalogs with their fingerprints. Returns undefined if all fingerprints equal those of `unlessEqual`. */
  readonly read: (
    source: SourceDatabase,
    selections: readonly CatalogSelection[],
    options: ReaderOptions,
  ) => Promise<readonly Catalog[] | undefined>;
}
