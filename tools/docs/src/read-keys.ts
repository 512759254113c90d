import type * as v from 'valibot';
import { safeParse } from 'valibot';

/** A key of hand-written YAML. */
export interface KeyEntry {
  /** `<group>.servers.<server>.host`. */
  readonly path: string;
  /** The expected value, in the parser's words. */
  readonly value: string;
  readonly needed: boolean;
  /** Default value as YAML. */
  readonly default?: string;
}

type Schema = v.GenericSchema & {
  readonly wrapped?: Schema;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly rest?: Schema;
  readonly value?: Schema;
  readonly item?: Schema;
  readonly options?: readonly Schema[];
};

export interface KeysOptions {
  /** Keys that are accepted and ignored. */
  /** Schemas of ignored keys. A key of ours can have the same name. */
  readonly leftAlone: Readonly<Record<string, unknown>>;
  /** Placeholder of a free key, by the path of the mapping: `{ '': '<group>' }`. */
  readonly chosen: Readonly<Record<string, string>>;
}

/** Lists all keys in a file's valibot schema, in its order. */
export function readKeys(schema: v.GenericSchema, options: KeysOptions): readonly KeyEntry[] {
  return below(schema as Schema, '', options);
}

function below(schema: Schema, path: string, options: KeysOptions): readonly KeyEntry[] {
  if (schema.type === 'optional') return below(schema.wrapped!, path, options);
  if (schema.type === 'union') {
    return schema.options!.flatMap((option) => below(option, `${path}[]`, options));
  }
  if (schema.type === 'array') {
    const item = schema.item!;
    if (item.type === 'union') return below(item, path, options);
    return isContainer(item) ? below(item, `${path}[]`, options) : [];
  }
  if (schema.type === 'record') {
    if (!isContainer(schema.value!)) return [];
    const chosen = chosenKey(path, options);
    return below(schema.value!, join(path, chosen), options);
  }
  if (!schema.entries) return [];
  const fields = Object.entries(schema.entries).filter(
    ([key, entry]) => options.leftAlone[key] !== entry,
  );
  const entries = fields.flatMap(([key, field]) => {
    const keyPath = join(path, key);
    return [describe(field, keyPath), ...below(field, keyPath, options)];
  });
  if (!schema.rest) return entries;
  return [...entries, ...below(schema.rest, join(path, chosenKey(path, options)), options)];
}

function describe(schema: Schema, path: string): KeyEntry {
  const isOptional = schema.type === 'optional';
  const entry = { path, value: expectationOf(schema), needed: !isOptional };
  return isOptional && schema.default !== undefined
    ? { ...entry, default: JSON.stringify(schema.default) }
    : entry;
}

/** Returns the schema's message for a value of the wrong kind: `a list in which each item is the name of a column`. */
function expectationOf(schema: Schema): string {
  const inner = schema.type === 'optional' ? schema.wrapped! : schema;
  if (inner.type === 'unknown') return 'any value';
  const message = safeParse(inner, undefined).issues?.[0].message ?? '';
  if (!message.startsWith('expected ')) return 'a mapping with the keys below';
  return message.replace(/^expected /, '').replace(/, found .*$/, '');
}

function isContainer(schema: Schema): boolean {
  const { type } = schema.type === 'optional' ? schema.wrapped! : schema;
  return type === 'strict_object' || type === 'loose_object' || type === 'object_with_rest';
}

function chosenKey(path: string, { chosen }: KeysOptions): string {
  const key = chosen[path];
  if (key === undefined) throw new Error(`no word for the keys that people choose in "${path}"`);
  return key;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
