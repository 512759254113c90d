import { COLUMN_TEMPLATES_FILE } from './config-files.ts';
import type { ColumnTemplate, TypeOverrides } from './config.ts';
import { defined } from './defined.ts';
import type { ColumnTemplatesShape } from './schemas/column-templates.ts';
import type { TypeOverridesShape } from './schemas/type-overrides.ts';

/** The templates by name. */
export function buildTemplates({
  templates,
}: ColumnTemplatesShape): ReadonlyMap<string, ColumnTemplate> {
  const built = Object.entries(templates).map(([template, shape]): [string, ColumnTemplate] => [
    template,
    defined({
      at: { file: COLUMN_TEMPLATES_FILE, keys: ['templates', template] },
      template,
      name: shape.name,
      type: shape.type,
      notNull: shape.not_null,
      default: shape.default,
      description: shape.description,
      value: expressionOf(shape.value),
    }),
  ]);
  return new Map(built);
}

/** The type overrides of a file. */
export function buildTypeOverrides(
  { types = {}, tables = {} }: TypeOverridesShape,
  file: string,
): TypeOverrides {
  return {
    at: { file, keys: [] },
    types: new Map(Object.entries(types)),
    tables: new Map(
      Object.entries(tables).map(([table, overrides]) => [
        table,
        {
          types: new Map(Object.entries(overrides.types ?? {})),
          columns: new Map(Object.entries(overrides.columns ?? {})),
        },
      ]),
    ),
  };
}

/** A value as Bloblang takes it: `true` is the expression `true`. Undefined for what is no expression. */
export function expressionOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : undefined;
}
