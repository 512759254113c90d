import type { YamlMapping, YamlValue } from '@cdc-migrations/generated-file';
import * as v from 'valibot';
import { isContainer, keyOf, type Container } from './parse-shape.ts';

/**
 * Converts a value to the form that `parseShape` reads with the same schema. Fields are in the order of the schema,
 * with keys in snake case. Undefined fields are omitted.
 */
export function renderShape<Schema extends v.GenericSchema>(
  schema: Schema,
  value: v.InferOutput<Schema>,
): YamlMapping {
  return renderOf(schema)(value) as YamlMapping;
}

type Render = (value: never) => YamlValue | undefined;

const renders = new WeakMap<v.GenericSchema, Render>();

function renderOf(schema: v.GenericSchema): (value: unknown) => YamlValue | undefined {
  let render = renders.get(schema);
  if (!render) {
    render = isContainer(schema) ? buildRender(schema) : (value: YamlValue) => value;
    renders.set(schema, render);
  }
  return render as (value: unknown) => YamlValue | undefined;
}

function buildRender(schema: Container): Render {
  switch (schema.type) {
    case 'optional':
    case 'exact_optional':
      return renderOf(schema.wrapped);
    case 'nullable': {
      const render = renderOf(schema.wrapped);
      return (value) => (value === null ? null : render(value));
    }
    case 'array': {
      const render = renderOf(schema.item);
      return (list: readonly unknown[]) => list.map(render) as YamlValue;
    }
    case 'record': {
      const render = renderOf(schema.value);
      return (record: Readonly<Record<string, unknown>>) =>
        new Map(
          Object.keys(record)
            .toSorted(compareText)
            .map((key) => [key, render(record[key])]),
        );
    }
    case 'variant':
      return (value: Readonly<Record<string, unknown>>) => {
        const option = schema.options.find(({ entries }) =>
          v.is(entries[schema.key]!, value[schema.key]),
        );
        return renderOf(option!)(value);
      };
    case 'strict_object':
      return buildFields(schema.entries);
    default:
      return (value: YamlValue) => value;
  }
}

function buildFields(entries: v.ObjectEntries): Render {
  const fields = Object.entries(entries).map(([name, schema]) => ({
    name,
    key: keyOf(name),
    render: renderOf(schema),
  }));
  return (value: Readonly<Record<string, unknown>>) => {
    const mapping: Record<string, YamlValue | undefined> = {};
    for (const { name, key, render } of fields) {
      const field = value[name];
      if (field !== undefined) mapping[key] = render(field);
    }
    return mapping;
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
