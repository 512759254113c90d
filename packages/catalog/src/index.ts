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
