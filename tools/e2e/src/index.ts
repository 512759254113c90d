export { ApplyError, applyFiles } from './apply-files.ts';
export type { AppliedFile, ApplyOptions, MigrationFile } from './apply-files.ts';
export { chooseSeed } from './choose-seed.ts';
export { compareFinalTable } from './compare-final-table.ts';
export { compareStructure } from './compare-structure.ts';
export { readManifest } from './read-manifest.ts';
export { readStructure } from './read-structure.ts';
export type { ColumnStructure, IndexStructure, RelationStructure } from './read-structure.ts';
export { renderInsert, stageEvents } from './stage-events.ts';
