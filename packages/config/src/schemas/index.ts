export { LEFT_ALONE } from './left-alone.ts';
export { columnTemplatesSchema, typeOverridesSchema } from './definitions.ts';
export { serviceSchema } from './service.ts';
export { sinkGroupsSchema, sourceGroupsSchema } from './groups.ts';
