import {
  columnTemplatesSchema,
  IGNORED_KEYS,
  serviceSchema,
  sinkGroupsSchema,
  sourceGroupsSchema,
  typeOverridesSchema,
} from '@cdc-migrations/config/schemas';
import { readKeys, type KeyEntry } from './read-keys.ts';

/** Keys that are accepted anywhere and ignored. */
export const IGNORED_KEY_NAMES: readonly string[] = Object.keys(IGNORED_KEYS).sort();

const OF_GROUPS = {
  '': '<group>',
  '<group>.servers': '<server>',
  '<group>.sources': '<source>',
  '<group>.sources.<source>': '<env>',
};

/** Hand-written files, with placeholders of their free keys. */
export const FILES = {
  'source-groups': { schema: sourceGroupsSchema, chosen: OF_GROUPS },
  'sink-groups': { schema: sinkGroupsSchema, chosen: OF_GROUPS },
  service: {
    schema: serviceSchema,
    chosen: {
      'source.tables': '<table>',
      sinks: '<sink>',
      'sinks.<sink>.tables': '<table>',
    },
  },
  'column-templates': { schema: columnTemplatesSchema, chosen: { templates: '<template>' } },
  'type-overrides': { schema: typeOverridesSchema, chosen: { tables: '<table>' } },
};

export type ConfigFile = keyof typeof FILES;

/** All keys of each hand-written file that the parser knows. */
export const KEYS = Object.fromEntries(
  Object.entries(FILES).map(([file, { schema, chosen }]) => [
    file,
    readKeys(schema, { leftAlone: IGNORED_KEYS, chosen }),
  ]),
) as { readonly [F in ConfigFile]: readonly KeyEntry[] };
