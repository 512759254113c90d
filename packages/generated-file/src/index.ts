export { buildGeneratedFile, checksumOf, stateOf } from './generated-file.ts';
export type { FileState, GeneratedFile, HeaderFacts } from './generated-file.ts';
export { parseYaml, renderYaml } from './yaml.ts';
export type { YamlValue } from './yaml.ts';
