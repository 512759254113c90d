export { LEFT_ALONE } from './left-alone.ts';
export { columnTemplatesSchema } from './column-templates.ts';
export { serviceSchema } from './service.ts';
export { sinkGroupsSchema } from './sink-groups.ts';
export { sourceGroupsSchema } from './source-groups.ts';
export { typeOverridesSchema } from './type-overrides.ts';
