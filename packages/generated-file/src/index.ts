export { bodyOf, buildGeneratedFile, checksumOf, stateOf, withLf } from './generated-file.ts';
export type { FileState, GeneratedFile, HeaderFacts } from './generated-file.ts';
export { safeFileName } from './safe-file-name.ts';
export { parseYaml } from './parse-yaml.ts';
export { renderYaml } from './render-yaml.ts';
export type { YamlMapping, YamlValue } from './render-yaml.ts';
export { RepoPathError, resolveRepoPath } from './repo-path.ts';
export { findBidiControls, characterProblem, visible } from './visible.ts';
