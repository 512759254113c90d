import type { YamlValue } from '@cdc-migrations/generated-file';

/** How one field of a type stands in the text: its key, and what is accepted there. */
export interface Field<T> {
  readonly key: string;
  readonly optional: boolean;
  /** Told to the person whose value is refused: `true or false`. */
  readonly expects: string;
  readonly accepts: (value: unknown) => value is T;
}

/** The fields of a type in the order of the text. A new field of the type does not compile without its entry. */
export type Shape<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** Called for each problem of a mapping, with the key in the text (none: the mapping itself). */
type Report = (message: string, key?: string) => void;

/** The typed value of a mapping; undefined where a problem was reported. */
export type ShapeParser<T> = (value: unknown, report: Report) => T | undefined;

/** Parser of a shape, prepared once because a snapshot holds a hundred thousand columns. */
export function buildShapeParser<T>(shape: Shape<T>): ShapeParser<T> {
  const fields = Object.entries<Field<unknown>>(shape).map(([name, field]) => ({ name, ...field }));
  const byKey = new Map(fields.map((field) => [field.key, field]));
  const required = fields.filter((field) => !field.optional);
  const known = fields.map((field) => field.key).join(', ');

  return (value, report) => {
    if (!isMapping(value)) {
      report(`is ${show(value)}; would be a mapping of ${known}`);
      return undefined;
    }
    const parsed: Record<string, unknown> = {};
    let isSound = true;
    const refuse = (key: string, message: string): void => {
      isSound = false;
      report(message, key);
    };
    for (const key of Object.keys(value)) {
      const field = byKey.get(key);
      if (!field) refuse(key, `unknown key; known: ${known}`);
      else if (field.accepts(value[key])) parsed[field.name] = value[key];
      else refuse(key, `is ${show(value[key])}; would be ${field.expects}`);
    }
    for (const { key, expects } of required) {
      if (!Object.hasOwn(value, key)) refuse(key, `is missing; would be ${expects}`);
    }
    // Every field was accepted by its own check, and Shape has one for each field of T.
    return isSound ? (parsed as T) : undefined;
  };
}

/** The mapping that stands for a value in the text; fields that are undefined stay out of it. */
export function renderShape<T extends { readonly [K in keyof T]: YamlValue | undefined }>(
  shape: Shape<T>,
  value: T,
): Record<string, YamlValue | undefined> {
  const names = Object.keys(shape) as (keyof T & string)[];
  return Object.fromEntries(names.map((name) => [shape[name].key, value[name]]));
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
