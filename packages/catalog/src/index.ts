export type {
  Catalog,
  CatalogColumn,
  CatalogForeignKey,
  CatalogKey,
  CatalogTable,
  CatalogUniqueIndex,
  Pattern,
  SourceType,
} from './catalog.ts';
export { compareNames } from './compare-names.ts';
export { parseSnapshot, renderSnapshot, snapshotPath } from './snapshot.ts';
