import { flag, listOf, oneOf, sqlExpression, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { count } from './groups.ts';
import { IGNORED_KEYS } from './ignored-keys.ts';
import { pipelineSchema } from './pipeline.ts';
import { tableName } from './table-name.ts';

const sourceTableSchema = v.strictObject({
  ignore_columns: v.optional(listOf('the name of a column'), []),
  include_columns: v.optional(listOf('the name of a column')),
  key_columns: v.optional(listOf('the name of a column')),
  lossy_key_columns: v.optional(listOf('the name of a column'), []),
  manual_migration_hints: v.optional(v.unknown()),
  ...IGNORED_KEYS,
});

const templateUseSchema = v.union(
  [
    text('the name of a template'),
    v.strictObject({
      template: text('the name of a template'),
      name: v.optional(text('the name of the column')),
      value: v.optional(v.unknown()),
      ...IGNORED_KEYS,
    }),
  ],
  'expected the name of a template or { template, name, value }',
);

const transformSchema = v.strictObject({
  bloblang_ref: text('the address of a Bloblang file'),
  expected_output_column: v.optional(text('the name of a column')),
  ...IGNORED_KEYS,
});

/** Schema of the hints that the original tool accepts under this key of a sink table. */
const migrationHintsSchema = v.strictObject({
  renames: v.optional(
    v.array(
      v.strictObject({ from: text('the name of a column'), to: text('the name of a column') }),
      'expected a list of { from, to }',
    ),
    [],
  ),
  type_changes: v.optional(
    v.array(
      v.strictObject({ column: text('the name of a column'), using: text('an SQL expression') }),
      'expected a list of { column, using }',
    ),
    [],
  ),
  set_not_null: v.optional(
    v.array(
      v.strictObject({ column: text('the name of a column'), pre_sql: text('an SQL statement') }),
      'expected a list of { column, pre_sql }',
    ),
    [],
  ),
});

/** Schema of an index of a final table, in addition to those that every table has. */
const indexSchema = v.strictObject({
  columns: listOf('the name of a column'),
  unique: v.optional(flag(), false),
  where: v.optional(sqlExpression()),
  method: v.optional(oneOf(['btree', 'hash', 'gin', 'gist', 'spgist', 'brin']), 'btree'),
});

const partitionSchema = v.strictObject({
  name: text('the name of a partition'),
  from: v.optional(listOf('a value')),
  to: v.optional(listOf('a value')),
  in: v.optional(listOf('a value')),
});

/** Schema of the partitioning of a final table. Exactly one of range, list and hash is allowed. */
const partitionBySchema = v.strictObject({
  range: v.optional(listOf('the name of a column')),
  list: v.optional(listOf('the name of a column')),
  hash: v.optional(listOf('the name of a column')),
  partitions: v.optional(
    v.array(
      partitionSchema,
      'expected a list of partitions, each { name, from, to } or { name, in }',
    ),
  ),
  count: v.optional(count()),
});

const sinkTableSchema = v.strictObject({
  from: tableName(),
  target_exists: v.optional(flag(), false),
  replicate_structure: v.optional(flag()),
  columns: v.optional(columnByColumn('source columns to columns of the target')),
  column_templates: v.optional(
    v.array(
      templateUseSchema,
      'expected a list of templates, each a name or { template, name, value }',
    ),
    [],
  ),
  transforms: v.optional(
    v.array(transformSchema, 'expected a list of { bloblang_ref, expected_output_column }'),
    [],
  ),
  delete_mode: v.optional(oneOf(['hard', 'soft']), 'hard'),
  staging: v.optional(oneOf(['unlogged', 'logged'])),
  pipeline: v.optional(pipelineSchema),
  indexes: v.optional(
    v.array(indexSchema, 'expected a list of indexes, each { columns, unique, where, method }'),
    [],
  ),
  partition_by: v.optional(partitionBySchema),
  backfill_from_default: v.optional(listOf('the name of a column'), []),
  renames: v.optional(columnByColumn('old column names to new ones')),
  manual_migration_hints: v.optional(migrationHintsSchema),
  ...IGNORED_KEYS,
});

const sinkSchema = v.strictObject({
  tables: v.optional(
    v.record(
      tableName(),
      sinkTableSchema,
      'expected a mapping of tables: `<schema>.<table>: { from }`',
    ),
  ),
  ...IGNORED_KEYS,
});

/** Schema of a service in `services/<service>.yaml`, under its name or next to the key `service`. */
export const serviceSchema = v.strictObject({
  service: v.optional(text('the name of the service')),
  source: v.optional(
    v.strictObject({
      validation_database: text('the name of the validation database'),
      validation_env: text('the environment of the validation database'),
      tables: v.optional(
        v.record(
          tableName(),
          v.optional(sourceTableSchema, {}),
          'expected a mapping of tables: `<schema>.<table>: {}`',
        ),
      ),
      ...IGNORED_KEYS,
    }),
  ),
  sinks: v.optional(
    v.record(
      v.string(),
      v.optional(sinkSchema, {}),
      'expected a mapping of sinks: `<sink group>.<database>: { tables }`',
    ),
  ),
  ...IGNORED_KEYS,
});

export type ServiceShape = v.InferOutput<typeof serviceSchema>;
export type SourceTableShape = v.InferOutput<typeof sourceTableSchema>;
export type SinkTableShape = v.InferOutput<typeof sinkTableSchema>;

function columnByColumn(what: string) {
  return v.record(v.string(), text('the name of a column'), `expected a mapping of ${what}`);
}
