import { flag, sqlExpression, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { IGNORED_KEYS } from './ignored-keys.ts';
import { tableName } from './table-name.ts';

/** Schema of `services/_schemas/column-templates.yaml`. */
export const columnTemplatesSchema = v.strictObject({
  templates: v.record(
    v.string(),
    v.strictObject({
      name: text('the name of the column'),
      type: postgresType(),
      not_null: v.optional(flag(), false),
      default: v.optional(sqlExpression()),
      description: v.optional(text('a description')),
      value: v.optional(v.unknown()),
      ...IGNORED_KEYS,
    }),
    'expected a mapping of templates: `<template>: { name, type }`',
  ),
});

export type ColumnTemplatesShape = v.InferOutput<typeof columnTemplatesSchema>;

const byType = v.record(
  v.string(),
  postgresType(),
  'expected a mapping of source types to PostgreSQL types',
);

/** Schema of `services/_schemas/_definitions/source-<group>-type-overrides.yaml`. */
export const typeOverridesSchema = v.strictObject({
  types: v.optional(byType),
  tables: v.optional(
    v.record(
      tableName(),
      v.strictObject({
        types: v.optional(byType),
        columns: v.optional(
          v.record(v.string(), postgresType(), 'expected a mapping of columns to PostgreSQL types'),
        ),
      }),
      'expected a mapping of tables: `<schema>.<table>: { types, columns }`',
    ),
  ),
});

export type TypeOverridesShape = v.InferOutput<typeof typeOverridesSchema>;

/** Accepts a PostgreSQL type. */
function postgresType() {
  const what = 'a PostgreSQL type such as uuid or numeric(19,4)';
  return v.pipe(
    text(what),
    v.regex(/^["\p{L}_]/u, ({ input }) => `expected ${what}, found "${input}"`),
  );
}
