export { IGNORED_KEYS } from './ignored-keys.ts';
export { columnTemplatesSchema, typeOverridesSchema } from './definitions.ts';
export { serviceSchema } from './service.ts';
export { sinkGroupsSchema, sourceGroupsSchema } from './groups.ts';
