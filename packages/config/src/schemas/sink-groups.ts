import { oneOf, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { GROUP_KEYS } from './group.ts';
import { pipelineSchema } from './pipeline.ts';

/** `sink-groups.yaml`. */
export const sinkGroupsSchema = v.record(
  v.pipe(v.string(), v.regex(/^[^.]+$/, 'expected the name of a sink group, without a dot')),
  v.strictObject({
    source_group: text('the name of a source group'),
    type: oneOf(['postgres']),
    pipeline: v.optional(pipelineSchema),
    ...GROUP_KEYS,
  }),
  'expected a mapping of sink groups: `<group>: { source_group, pattern, type, envs, servers, sources }`',
);

export type SinkGroupsShape = v.InferOutput<typeof sinkGroupsSchema>;
