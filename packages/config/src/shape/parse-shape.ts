import * as v from 'valibot';
import { didYouMean, nearest } from '../nearest.ts';
import type { Keys, Report } from '../report.ts';
import type { Draft } from './draft.ts';
import { foundValue } from './found-value.ts';
import { LEFT_ALONE } from './left-alone.ts';

/** What was read: `draft` as far as it is right, `whole` where nothing was reported. */
export interface Shape<Value> {
  readonly draft: Draft<Value> | undefined;
  readonly whole?: Value;
}

/**
 * Reads a value by a valibot schema and reports everything that does not fit. Mappings and lists are walked here
 * and not by valibot, which names only the first unknown key, takes a list for a mapping, and leaves out keys
 * such as `constructor`. A key without a value (`tables:`) counts as absent. Mappings come without a prototype,
 * so that looking up any name is safe.
 */
export function parseShape<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  report: Report,
  keys: Keys = [],
): Shape<v.InferOutput<Schema>> {
  let clean = true;
  const read = walk(schema, value, keys, (...problem) => {
    clean = false;
    report(...problem);
  });
  const draft = read as Draft<v.InferOutput<Schema>> | undefined;
  return clean ? { draft, whole: read as v.InferOutput<Schema> } : { draft };
}

export type Mapping = Readonly<Record<string, unknown>>;

type Fields =
  | v.StrictObjectSchema<v.ObjectEntries, undefined>
  | v.LooseObjectSchema<v.ObjectEntries, undefined>
  | v.ObjectWithRestSchema<v.ObjectEntries, v.GenericSchema, undefined>;
type Container =
  | Fields
  | v.RecordSchema<v.GenericSchema<string, string>, v.GenericSchema, string>
  | v.ArraySchema<v.GenericSchema, string>
  | v.UnionSchema<v.GenericSchema[], string>
  | Optional;
type Optional = v.OptionalSchema<v.GenericSchema, unknown>;

const CONTAINERS: ReadonlySet<string> = new Set<Container['type']>([
  'strict_object',
  'loose_object',
  'object_with_rest',
  'record',
  'array',
  'union',
  'optional',
]);

/** The value as far as it is right; undefined, and reported, where it is not right at all. */
function walk(schema: v.GenericSchema, value: unknown, keys: Keys, report: Report): unknown {
  if (isContainer(schema) && !('pipe' in schema)) {
    return walkContainer(schema, value, keys, report);
  }
  const [root, ...actions] = pipeOf(schema);
  if (!isContainer(root)) {
    const { success, output, issues } = v.safeParse(schema, value);
    if (issues) report(keys, issues[0].message);
    return success ? output : undefined;
  }
  return actions.reduce<unknown>(
    (input, action) => {
      if (!isTransform(action)) throw new Error(`a pipe of ${root.type} with ${action.type}`);
      return input === undefined ? undefined : action.operation(input);
    },
    walkContainer(root, value, keys, report),
  );
}

function walkContainer(schema: Container, value: unknown, keys: Keys, report: Report): unknown {
  switch (schema.type) {
    case 'optional':
      if (!isAbsent(value)) return walk(schema.wrapped, value, keys, report);
      return isAbsent(schema.default)
        ? undefined
        : walk(schema.wrapped, schema.default, keys, report);
    case 'union': {
      const option = schema.options.find((candidate) => fits(candidate, value));
      if (option) return walk(option, value, keys, report);
      break;
    }
    case 'array':
      if (!Array.isArray(value)) break;
      return value.map((item, index) => walk(schema.item, item, [...keys, index], report));
    case 'record':
      if (!isMapping(value)) break;
      return walkRecord(schema, value, keys, report);
    default: {
      if (isMapping(value)) return walkFields(schema, value, keys, report);
      const message = `expected a mapping with the keys ${knownKeys(schema)}`;
      report(keys, `${message}; found ${foundValue(value)}`);
      return undefined;
    }
  }
  report(keys, `${schema.message}; found ${foundValue(value)}`);
  return undefined;
}

function walkRecord(
  schema: Extract<Container, { type: 'record' }>,
  value: Mapping,
  keys: Keys,
  report: Report,
): Mapping {
  const read: Record<string, unknown> = Object.create(null);
  for (const [key, entry] of Object.entries(value)) {
    const below = [...keys, key];
    const [issue] = v.safeParse(schema.key, key).issues ?? [];
    if (issue) report(below, issue.message);
    read[key] = walk(schema.value, entry, below, report);
  }
  return read;
}

function walkFields(schema: Fields, value: Mapping, keys: Keys, report: Report): Mapping {
  const { entries } = schema;
  const read: Record<string, unknown> =
    schema.type === 'object_with_rest' ? Object.create(null) : {};
  for (const key of keysToFill(entries)) {
    if (Object.hasOwn(value, key) && !isAbsent(value[key])) continue;
    const entry = entries[key]!;
    if (entry.type === 'optional') read[key] = walk(entry, undefined, keys, report);
    else report(keys, `missing key "${key}"; ${expectationOf(entry)}`);
  }
  for (const [key, field] of Object.entries(value)) {
    if (Object.hasOwn(entries, key)) {
      if (!isAbsent(field)) read[key] = walk(entries[key]!, field, [...keys, key], report);
    } else if (schema.type === 'object_with_rest' && !isMisspelled(key, field, entries)) {
      read[key] = walk(schema.rest, field, [...keys, key], report);
    } else if (schema.type !== 'loose_object') {
      const known = `unknown key "${key}"; known: ${knownKeys(schema)}`;
      report(keys, known + didYouMean(key, Object.keys(entries)), key);
    }
  }
  return read;
}

const keysToFillByEntries = new WeakMap<v.ObjectEntries, readonly string[]>();

/** The keys that are not simply left out where a mapping lacks them: required ones and those with a default. */
function keysToFill(entries: v.ObjectEntries): readonly string[] {
  const known = keysToFillByEntries.get(entries);
  if (known) return known;
  const keys = Object.entries(entries)
    .filter(([, entry]) => entry.type !== 'optional' || !isAbsent((entry as Optional).default))
    .map(([key]) => key);
  keysToFillByEntries.set(entries, keys);
  return keys;
}

/** Beside keys that people choose, a key that is almost a known one and has no mapping as they do. */
function isMisspelled(key: string, field: unknown, entries: v.ObjectEntries): boolean {
  return !isMapping(field) && nearest(key, Object.keys(entries)) !== undefined;
}

/** The keys that mean something to us. */
function knownKeys({ type, entries }: Fields): string {
  const known = Object.keys(entries).filter((key) => !Object.hasOwn(LEFT_ALONE, key));
  return [...known, ...(type === 'strict_object' ? [] : ['…'])].join(', ');
}

/** What a schema says of a value that is not there: `expected …`. */
function expectationOf(schema: v.GenericSchema): string {
  let expectation = '';
  walk(schema, undefined, [], (_, message) => {
    expectation = message.replace('; found nothing', '');
  });
  return expectation;
}

/** Of a union, the option that a list, a mapping or anything else can be. */
function fits(option: v.GenericSchema, value: unknown): boolean {
  const { type } = pipeOf(option)[0];
  if (type === 'array') return Array.isArray(value);
  if (CONTAINERS.has(type)) return isMapping(value);
  return v.is(option, value);
}

function pipeOf(
  schema: v.GenericSchema,
): readonly [v.GenericSchema, ...v.GenericPipeItem<unknown, unknown>[]] {
  return 'pipe' in schema ? (schema.pipe as ReturnType<typeof pipeOf>) : [schema];
}

function isContainer(schema: v.GenericSchema): schema is Container {
  return CONTAINERS.has(schema.type);
}

function isTransform(
  action: v.GenericPipeItem<unknown, unknown>,
): action is v.TransformAction<unknown, unknown> {
  return action.type === 'transform';
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}
