import * as v from 'valibot';
import { didYouMean, nearest } from './nearest.ts';
import type { Keys, Report } from './problem.ts';
import { foundValue, foundWord } from './scalars.ts';

/** Scalars that a schema accepts as one value. */
export type Scalar = string | number | boolean | null | undefined;

/**
 * The valid part of a value. Missing and wrong parts are reported, and later checks continue with the valid part. A
 * wrong value is undefined, and a missing key is absent.
 */
export type Draft<Value> = unknown extends Value
  ? Value
  : Value extends Scalar
    ? Value
    : Value extends readonly (infer Item)[]
      ? readonly (Draft<Item> | undefined)[]
      : { readonly [Key in keyof Value]?: Draft<Value[Key]> | undefined };

/** Result of `parseShape`: `draft` is the valid part, `whole` is set if nothing was reported. */
export interface Shape<Value> {
  readonly draft: Draft<Value> | undefined;
  readonly whole?: Value;
}

/** Schema entries for the fields of a type. A new field does not compile without its entry. */
export type EntriesOf<T> = {
  readonly [Key in keyof T]-?: v.GenericSchema<unknown, Exclude<T[Key], undefined>>;
};

/** An optional key that is accepted and ignored. Messages do not list it. */
export const leftAlone = v.optional(v.unknown());

/**
 * Parses a value with a valibot schema and reports all mismatches. This function walks mappings and lists itself,
 * because valibot names only the first unknown key, accepts a list as a mapping, and drops keys such as `constructor`.
 * The key of a field is its name in snake case: the field `declaredAs` has the key `declared_as`. A key without a value
 * (`tables:`) counts as absent. Mappings with free keys have no prototype, so looking up any name is safe.
 */
export function parseShape<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  report: Report,
  keys: Keys = [],
): Shape<v.InferOutput<Schema>> {
  let clean = true;
  const trail: Trail = {
    keys: [...keys],
    report: (message, key) => {
      clean = false;
      report([...trail.keys], message, key);
    },
  };
  const read = walkOf(schema)(value, trail);
  const draft = read as Draft<v.InferOutput<Schema>> | undefined;
  return clean ? { draft, whole: read as v.InferOutput<Schema> } : { draft };
}

/** A mapping of YAML before it has a type. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Checks if a value is a mapping. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the key of a field in a file: `declared_as` for `declaredAs`. */
export function keyOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

type Fields =
  | v.StrictObjectSchema<v.ObjectEntries, undefined>
  | v.LooseObjectSchema<v.ObjectEntries, undefined>
  | v.ObjectWithRestSchema<v.ObjectEntries, v.GenericSchema, undefined>;
type Optional =
  v.OptionalSchema<v.GenericSchema, unknown> | v.ExactOptionalSchema<v.GenericSchema, undefined>;
export type Container =
  | Fields
  | Optional
  | v.NullableSchema<v.GenericSchema, undefined>
  | v.UnionSchema<v.GenericSchema[], string>
  | v.VariantSchema<string, Fields[], string>
  | v.ArraySchema<v.GenericSchema, string>
  | v.RecordSchema<v.GenericSchema<string, string>, v.GenericSchema, string>;
type Kind<Type extends Container['type']> = Extract<Container, { readonly type: Type }>;

/** Position of a walk, with the function that reports a problem there. */
interface Trail {
  readonly keys: (string | number)[];
  readonly report: (message: string, key?: string | number) => void;
}

/** Returns the valid part of a value. Reports an invalid value and returns undefined for it. */
type Walk = (value: unknown, trail: Trail) => unknown;

/** Walks by schema. Each schema is analyzed once, as one file can hold a million values. */
const walks = new WeakMap<v.GenericSchema, Walk>();

function walkOf(schema: v.GenericSchema): Walk {
  const known = walks.get(schema);
  if (known) return known;
  const [root, ...actions] = pipeOf(schema);
  const walk = isContainer(root)
    ? buildPipe((BUILD[root.type] as (schema: Container) => Walk)(root), root, actions)
    : buildScalar(schema);
  walks.set(schema, walk);
  return walk;
}

const BUILD: { readonly [Type in Container['type']]: (schema: Kind<Type>) => Walk } = {
  optional: buildOptional,
  exact_optional: buildOptional,
  nullable: buildNullable,
  union: buildUnion,
  variant: buildVariant,
  array: buildList,
  record: buildRecord,
  strict_object: buildFields,
  loose_object: buildFields,
  object_with_rest: buildFields,
};

function buildPipe(
  walk: Walk,
  { type }: v.GenericSchema,
  actions: readonly v.GenericPipeItem<unknown, unknown>[],
): Walk {
  if (actions.length === 0) return walk;
  const operations = actions.map((action) => {
    if (!isTransform(action)) throw new Error(`a pipe of ${type} with ${action.type}`);
    return action.operation;
  });
  return (value, trail) =>
    operations.reduce<unknown>(
      (input, operation) => (input === undefined ? undefined : operation(input)),
      walk(value, trail),
    );
}

function buildScalar(schema: v.GenericSchema): Walk {
  const isPlain = !pipeOf(schema).some((item) => item.type === 'transform');
  return (value, { report }) => {
    if (isPlain && v.is(schema, value)) return value;
    const { success, output, issues } = v.safeParse(schema, value);
    if (issues) report(issues[0].message);
    return success ? output : undefined;
  };
}

function buildOptional({ wrapped, default: initial }: Optional): Walk {
  const walk = walkOf(wrapped);
  return (value, trail) => {
    if (!isAbsent(value)) return walk(value, trail);
    return isAbsent(initial) ? undefined : walk(initial, trail);
  };
}

function buildNullable({ wrapped }: Kind<'nullable'>): Walk {
  const walk = walkOf(wrapped);
  return (value, trail) => (value === null ? null : walk(value, trail));
}

function buildUnion({ options, message }: Kind<'union'>): Walk {
  return (value, trail) => {
    const option = options.find((candidate) => isOfKind(candidate, value));
    if (option) return walkOf(option)(value, trail);
    trail.report(`${message}, found ${foundValue(value)}`);
    return undefined;
  };
}

/** Checks if an option of a union has the kind of a value: list, mapping, or scalar. */
function isOfKind(option: v.GenericSchema, value: unknown): boolean {
  const [root] = pipeOf(option);
  if (root.type === 'array') return Array.isArray(value);
  return isContainer(root) ? isMapping(value) : v.is(option, value);
}

/** Builds the walk of mappings that one of their keys distinguishes. */
function buildVariant({ key, options, message }: Kind<'variant'>): Walk {
  return (value, trail) => {
    if (!isMapping(value)) {
      trail.report(`expected a mapping with the key "${key}", found ${foundValue(value)}`);
      return undefined;
    }
    const kind = Object.hasOwn(value, key) ? value[key] : undefined;
    const option = options.find(({ entries }) => v.is(entries[key]!, kind));
    if (option) return walkOf(option)(value, trail);
    below(trail, key, () => trail.report(`${message}, found ${foundWord(kind)}`));
    return undefined;
  };
}

function buildList({ item, message }: Kind<'array'>): Walk {
  const walk = walkOf(item);
  return (value, trail) => {
    if (Array.isArray(value)) {
      return value.map((entry: unknown, index) => below(trail, index, () => walk(entry, trail)));
    }
    trail.report(`${message}, found ${foundValue(value)}`);
    return undefined;
  };
}

function buildRecord({ key: keySchema, value: valueSchema, message }: Kind<'record'>): Walk {
  const walk = walkOf(valueSchema);
  return (value, trail) => {
    if (!isMapping(value)) {
      trail.report(`${message}, found ${foundValue(value)}`);
      return undefined;
    }
    const read: Record<string, unknown> = Object.create(null);
    for (const key of Object.keys(value)) {
      below(trail, key, () => {
        const [issue] = v.safeParse(keySchema, key).issues ?? [];
        if (issue) trail.report(issue.message);
        read[key] = walk(value[key], trail);
      });
    }
    return read;
  };
}

interface Field {
  readonly name: string;
  readonly key: string;
  readonly walk: Walk;
  readonly takesNull: boolean;
  /** Handling of a missing key: omitted, filled with a default, or reported. */
  readonly absent: 'left out' | 'default' | 'required';
  readonly schema: v.GenericSchema;
}

function buildFields(schema: Fields): Walk {
  const fields = Object.entries(schema.entries).map(([name, entry]) => buildField(name, entry));
  const byKey = new Map(fields.map((field) => [field.key, field]));
  const toFill = fields.filter(({ absent }) => absent !== 'left out');
  const known = knownKeys(schema);
  const rest = schema.type === 'object_with_rest' ? walkOf(schema.rest) : undefined;
  return (value, trail) => {
    if (!isMapping(value)) {
      trail.report(
        `expected a mapping with the ${known.includes(',') ? 'keys' : 'key'} ${known}, found ${foundValue(value)}`,
      );
      return undefined;
    }
    const read: Record<string, unknown> = rest ? Object.create(null) : {};
    for (const field of toFill) {
      if (Object.hasOwn(value, field.key) && isThere(value[field.key], field)) continue;
      if (field.absent === 'default') read[field.name] = field.walk(undefined, trail);
      else trail.report(`missing key "${field.key}"; ${expectationOf(field.schema)}`);
    }
    for (const key of Object.keys(value)) {
      const field = byKey.get(key);
      const entry = value[key];
      if (field) {
        if (!isThere(entry, field)) continue;
        trail.keys.push(key);
        read[field.name] = field.walk(entry, trail);
        trail.keys.pop();
      } else if (rest && !isMisspelled(key, entry, byKey)) {
        read[key] = below(trail, key, () => rest(entry, trail));
      } else if (schema.type !== 'loose_object') {
        const message = `unknown key "${key}"; known: ${known}`;
        trail.report(message + didYouMean(key, byKey.keys()), key);
      }
    }
    return read;
  };
}

function buildField(name: string, schema: v.GenericSchema): Field {
  const isOptional = schema.type === 'optional' || schema.type === 'exact_optional';
  const hasDefault = isOptional && !isAbsent((schema as Optional).default);
  return {
    name,
    key: keyOf(name),
    walk: walkOf(schema),
    takesNull: schema.type === 'nullable',
    absent: !isOptional ? 'required' : hasDefault ? 'default' : 'left out',
    schema,
  };
}

function isThere(value: unknown, { takesNull }: Field): boolean {
  return !isAbsent(value) || (takesNull && value === null);
}

/** Detects a misspelled key next to free keys: its name is close to a known key, and its value is no mapping. */
function isMisspelled(key: string, entry: unknown, known: ReadonlyMap<string, Field>): boolean {
  return !isMapping(entry) && nearest(key, [...known.keys()]) !== undefined;
}

/** Lists the keys that are not ignored. */
function knownKeys({ type, entries }: Fields): string {
  const known = Object.entries(entries).filter(([, entry]) => entry !== leftAlone);
  const keys = known.map(([name]) => keyOf(name));
  return [...keys, ...(type === 'strict_object' ? [] : ['…'])].join(', ');
}

/** Returns what a schema says about a missing value: `expected …`. */
function expectationOf(schema: v.GenericSchema): string {
  let expectation = '';
  const report: Trail['report'] = (message) => {
    expectation = message.replace(', found nothing', '');
  };
  walkOf(schema)(undefined, { keys: [], report });
  return expectation;
}

function below<Result>({ keys }: Trail, key: string | number, work: () => Result): Result {
  keys.push(key);
  const result = work();
  keys.pop();
  return result;
}

function pipeOf(
  schema: v.GenericSchema,
): readonly [v.GenericSchema, ...v.GenericPipeItem<unknown, unknown>[]] {
  return 'pipe' in schema ? (schema.pipe as ReturnType<typeof pipeOf>) : [schema];
}

export function isContainer(schema: v.GenericSchema): schema is Container {
  return Object.hasOwn(BUILD, schema.type);
}

function isTransform(
  action: v.GenericPipeItem<unknown, unknown>,
): action is v.TransformAction<unknown, unknown> {
  return action.type === 'transform';
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
