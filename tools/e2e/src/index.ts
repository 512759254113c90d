export { ApplyError, applyManifest, readManifest } from './apply-manifest.ts';
export type { AppliedFile, ManifestFile, ManifestOptions } from './apply-manifest.ts';
export { chooseSeed } from './choose-seed.ts';
export { compareFinalTable } from './compare-final-table.ts';
export { compareStructure } from './compare-structure.ts';
export { readStructure } from './read-structure.ts';
export type { ColumnStructure, IndexStructure, RelationStructure } from './read-structure.ts';
export { renderInsert, stageEvents } from './stage-events.ts';
