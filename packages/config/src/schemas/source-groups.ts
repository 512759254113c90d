import { oneOf } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { GROUP_KEYS } from './group.ts';

/** `source-groups.yaml`. */
export const sourceGroupsSchema = v.record(
  v.string(),
  v.strictObject({ type: oneOf(['mssql', 'postgres']), ...GROUP_KEYS }),
  'expected a mapping of source groups: `<group>: { pattern, type, envs, servers, sources }`',
);

export type SourceGroupsShape = v.InferOutput<typeof sourceGroupsSchema>;
