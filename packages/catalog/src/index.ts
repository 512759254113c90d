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
export { parseSnapshot } from './parse-snapshot.ts';
export { renderSnapshot, snapshotPath } from './render-snapshot.ts';
export { SnapshotError } from './snapshot-error.ts';
export type { SnapshotProblem } from './snapshot-error.ts';
