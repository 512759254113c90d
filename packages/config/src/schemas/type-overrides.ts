import * as v from 'valibot';
import { postgresType } from './postgres-type.ts';
import { tableName } from './table-name.ts';

const byType = v.record(
  v.string(),
  postgresType(),
  'expected a mapping of source types to PostgreSQL types',
);

/** `services/_schemas/_definitions/source-<group>-type-overrides.yaml`. */
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
