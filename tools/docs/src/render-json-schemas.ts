import { IGNORED_KEYS } from '@cdc-migrations/config/schemas';
import { buildJsonSchema, type JsonSchema } from './build-json-schema.ts';
import { FILES, type ConfigFile } from './config-files.ts';
import { MEANINGS, NEEDED_ALL_THE_SAME } from './key-meanings.ts';

const TITLES: { readonly [F in ConfigFile]: string } = {
  'source-groups': 'source-groups.yaml',
  'sink-groups': 'sink-groups.yaml',
  service: 'services/<service>.yaml',
  'column-templates': 'services/_schemas/column-templates.yaml',
  'type-overrides': 'services/_schemas/_definitions/source-<group>-type-overrides.yaml',
};

/** Renders the JSON Schemas of hand-written files, by path in the workspace. */
export function renderJsonSchemas(): ReadonlyMap<string, string> {
  return new Map(
    (Object.keys(TITLES) as ConfigFile[]).map((file) => {
      const { schema, chosen } = FILES[file];
      const options = {
        leftAlone: IGNORED_KEYS,
        chosen,
        meanings: MEANINGS[file],
        needed: file === 'service' ? NEEDED_ALL_THE_SAME : [],
      };
      const built = buildJsonSchema(schema, options);
      const document = {
        $schema: 'http://json-schema.org/draft-07/schema#',
        title: TITLES[file],
        ...(file === 'service' ? inEitherForm(built) : built),
      };
      return [`packages/config/schemas/${file}.schema.json`, JSON.stringify(document)];
    }),
  );
}

/** Allows a service under its name, or next to the key `service`. */
function inEitherForm(service: JsonSchema): JsonSchema {
  return {
    definitions: { service },
    if: {
      type: 'object',
      anyOf: ['service', 'source', 'sinks'].map((key) => ({ required: [key] })),
      properties: { service: { type: ['string', 'number', 'boolean', 'null'] } },
    },
    then: { allOf: [{ $ref: '#/definitions/service' }, { type: 'object', required: ['service'] }] },
    else: {
      type: 'object',
      minProperties: 1,
      maxProperties: 1,
      additionalProperties: { $ref: '#/definitions/service' },
    },
  };
}
