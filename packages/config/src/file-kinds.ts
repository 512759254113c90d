import type * as v from 'valibot';
import { columnTemplatesSchema } from './schemas/column-templates.ts';
import { sinkGroupsSchema } from './schemas/sink-groups.ts';
import { sourceGroupsSchema } from './schemas/source-groups.ts';
import { typeOverridesSchema } from './schemas/type-overrides.ts';

/** A kind of file whose whole content has one schema. */
export interface FileKind<Schema extends v.GenericSchema> {
  readonly schema: Schema;
  /** What to write where a file of this kind is missing or empty. */
  readonly expected: string;
}

export const SOURCE_GROUPS: FileKind<typeof sourceGroupsSchema> = {
  schema: sourceGroupsSchema,
  expected: '<source group>: { pattern, type, envs, servers, sources }',
};

export const SINK_GROUPS: FileKind<typeof sinkGroupsSchema> = {
  schema: sinkGroupsSchema,
  expected: '<sink group>: { source_group, pattern, type, envs, servers, sources }',
};

export const COLUMN_TEMPLATES: FileKind<typeof columnTemplatesSchema> = {
  schema: columnTemplatesSchema,
  expected: 'templates: { <template>: { name, type } }',
};

export const TYPE_OVERRIDES: FileKind<typeof typeOverridesSchema> = {
  schema: typeOverridesSchema,
  expected: 'types: { <source type>: <PostgreSQL type> }',
};
