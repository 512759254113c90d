import { flag, sqlExpression, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { LEFT_ALONE } from './left-alone.ts';
import { postgresType } from './postgres-type.ts';

/** `services/_schemas/column-templates.yaml`. */
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
      ...LEFT_ALONE,
    }),
    'expected a mapping of templates: `<template>: { name, type }`',
  ),
});

export type ColumnTemplatesShape = v.InferOutput<typeof columnTemplatesSchema>;
