import * as v from 'valibot';

/** A part of a JSON Schema (draft 7, which editors support best). */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export interface JsonSchemaOptions {
  /** Keys that are accepted and ignored. Editors do not propose them. */
  /** Schemas of ignored keys. A key of ours can have the same name. */
  readonly leftAlone: Readonly<Record<string, unknown>>;
  /** Placeholder of a free key, by the path of the mapping: `{ '': '<group>' }`. */
  readonly chosen: Readonly<Record<string, string>>;
  /** Meaning of each key, by its path. */
  readonly meanings: Readonly<Record<string, string>>;
  /** Keys that a check requires although the shape does not. */
  readonly needed: readonly string[];
}

type Schema = v.GenericSchema & {
  readonly wrapped?: Schema;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly rest?: Schema;
  readonly key?: Schema;
  readonly value?: Schema;
  readonly item?: Schema;
  readonly options?: readonly unknown[];
  readonly pipe?: readonly PipeItem[];
};

interface PipeItem {
  readonly type: string;
  readonly requirement?: unknown;
  readonly metadata?: { readonly jsonSchema?: JsonSchema };
}

/**
 * Builds the JSON Schema of a hand-written file. It accepts what the parser accepts, for YAML as editors read it:
 * there, `0123` is a number where we read text, and a key without a value is null.
 */
export function buildJsonSchema(
  schema: v.GenericSchema,
  options: JsonSchemaOptions,
  path = '',
): JsonSchema {
  return build(schema as Schema, path, options);
}

function build(schema: Schema, path: string, options: JsonSchemaOptions): JsonSchema {
  const given = schema.pipe?.find(({ metadata }) => metadata?.jsonSchema)?.metadata?.jsonSchema;
  return given ?? BUILD[schema.type as keyof typeof BUILD](schema, path, options);
}

type Build = (schema: Schema, path: string, options: JsonSchemaOptions) => JsonSchema;

const BUILD = {
  unknown: () => ({}),
  string: buildText,
  boolean: () => ({ type: 'boolean' }),
  picklist: ({ options: words }) => ({ type: 'string', enum: words }),
  optional: buildOptional,
  array: ({ item }, path, options) => ({
    type: 'array',
    items: build(item!, item!.type === 'union' ? path : `${path}[]`, options),
  }),
  union: buildUnion,
  record: ({ key, value }, path, options) => ({
    type: 'object',
    ...(key!.pipe && { propertyNames: { pattern: patternOf(key!) } }),
    additionalProperties: build(value!, below(path, chosenKey(path, options)), options),
  }),
  strict_object: buildFields,
  loose_object: buildFields,
  object_with_rest: buildFields,
} satisfies Readonly<Record<string, Build>>;

/** Builds the schema of a text. A number is allowed if its digits are a valid text. */
function buildText(schema: Schema): JsonSchema {
  const pattern = patternOf(schema);
  return {
    type: v.is(schema, '7') ? ['string', 'number'] : 'string',
    minLength: 1,
    ...(pattern !== undefined && { pattern }),
  };
}

/** Builds the schema of an optional value. It may be null, unless its default is incomplete. */
function buildOptional(
  { wrapped, default: value }: Schema,
  path: string,
  options: JsonSchemaOptions,
): JsonSchema {
  const built = build(wrapped!, path, options);
  const lacking = value !== undefined && 'required' in built;
  return {
    ...(lacking ? built : orNull(built)),
    ...(value !== undefined && isPlain(value) && { default: value }),
  };
}

function buildUnion(
  { options: alternatives }: Schema,
  path: string,
  options: JsonSchemaOptions,
): JsonSchema {
  const schemas = (alternatives as readonly Schema[]).map((option) =>
    build(option, `${path}[]`, options),
  );
  return { anyOf: schemas };
}

function buildFields(schema: Schema, path: string, options: JsonSchemaOptions): JsonSchema {
  const isLeftAlone = ([key, entry]: readonly [string, unknown]) =>
    options.leftAlone[key] === entry;
  const entries = Object.entries(schema.entries!);
  const known = entries.filter((entry) => !isLeftAlone(entry));
  const leftAlone = entries.filter(isLeftAlone).map(([key]) => key);
  const needed = known.filter(
    ([key, field]) => field.type !== 'optional' || options.needed.includes(below(path, key)),
  );
  const properties = known.map(([key, field]) => [
    key,
    buildField(field, below(path, key), options),
  ]);
  return {
    type: 'object',
    ...(needed.length > 0 && { required: needed.map(([key]) => key) }),
    properties: Object.fromEntries(properties) as JsonSchema,
    ...(leftAlone.length > 0 && { patternProperties: { [`^(${leftAlone.join('|')})$`]: {} } }),
    additionalProperties: schema.rest
      ? build(schema.rest, below(path, chosenKey(path, options)), options)
      : schema.type === 'loose_object',
  };
}

function buildField(field: Schema, path: string, options: JsonSchemaOptions): JsonSchema {
  const meaning = options.meanings[path];
  const description = meaning?.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  const isNeeded = options.needed.includes(path);
  const built = build(isNeeded ? field.wrapped! : field, path, options);
  const { type, ...others }: JsonSchema = isNeeded ? { ...built, minProperties: 1 } : built;
  return { ...(type !== undefined && { type }), ...(description && { description }), ...others };
}

/** Allows null in addition to a schema. */
function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: words } = schema;
  if (type === undefined) {
    const { anyOf } = schema as { readonly anyOf?: readonly JsonSchema[] };
    return anyOf ? { ...schema, anyOf: [...anyOf, { type: 'null' }] } : schema;
  }
  const types = [...(Array.isArray(type) ? (type as readonly unknown[]) : [type]), 'null'];
  return {
    ...schema,
    type: types,
    ...(words !== undefined && { enum: [...(words as readonly unknown[]), null] }),
  };
}

/** Returns the regular expression of a text for JSON Schema, which is always in Unicode mode. */
function patternOf({ pipe = [] }: Schema): string | undefined {
  const expressions = pipe.filter(({ type }) => type === 'regex');
  if (expressions.length > 1) throw new Error('a text with two regular expressions');
  return (expressions[0]?.requirement as RegExp | undefined)?.source;
}

function isPlain(value: unknown): boolean {
  return typeof value !== 'object' || (Array.isArray(value) && value.length > 0);
}

function chosenKey(path: string, { chosen }: JsonSchemaOptions): string {
  return chosen[path] ?? '<key>';
}

function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
