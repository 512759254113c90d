import type { Location } from '@cdc-migrations/shape';
import type { Service, ServiceSink, SinkTable, SourceTable } from './config.ts';
import { expressionOf } from './build-definitions.ts';
import { defined } from './defined.ts';
import type { ServicePart } from './parse-service-part.ts';
import { allRenames } from './checks/check-renames.ts';
import type { SinkTableShape, SourceTableShape } from './schemas/service.ts';
import { splitTableName } from './schemas/table-name.ts';

/** A service; undefined where something of it has been reported. */
export function buildService({ file, name, keys, whole }: ServicePart): Service | undefined {
  if (!whole?.source?.tables || !whole.sinks) return undefined;
  const { source, sinks } = whole;
  const at = { file, keys };
  return {
    at,
    name,
    validationDatabase: source.validation_database,
    validationEnv: source.validation_env,
    tables: Object.entries(whole.source.tables).map(([table, shape]) =>
      buildSourceTable(table, shape, below(at, 'source', 'tables', table)),
    ),
    sinks: Object.entries(sinks).map(([sink, { tables = {} }]): ServiceSink => {
      const sinkAt = below(at, 'sinks', sink);
      return {
        at: sinkAt,
        sink,
        tables: Object.entries(tables).map(([table, shape]) =>
          buildSinkTable(table, shape, below(sinkAt, 'tables', table)),
        ),
      };
    }),
  };
}

function buildSourceTable(name: string, shape: SourceTableShape, at: Location): SourceTable {
  return defined({
    at,
    ...splitTableName(name),
    ignoreColumns: shape.ignore_columns,
    includeColumns: shape.include_columns,
    keyColumns: shape.key_columns,
    lossyKeyColumns: shape.lossy_key_columns,
    manualMigrationHints: shape.manual_migration_hints,
  });
}

function buildSinkTable(name: string, shape: SinkTableShape, at: Location): SinkTable {
  const { manual_migration_hints: hints } = shape;
  return defined({
    at,
    ...splitTableName(name),
    from: splitTableName(shape.from),
    targetExists: shape.target_exists,
    columnTemplates: shape.column_templates.map((use, index) => {
      const useAt = below(at, 'column_templates', index);
      return typeof use === 'string'
        ? { at: useAt, template: use }
        : defined({
            at: useAt,
            template: use.template,
            name: use.name,
            value: expressionOf(use.value),
          });
    }),
    transforms: shape.transforms.map((transform, index) =>
      defined({
        at: below(at, 'transforms', index),
        bloblangRef: transform.bloblang_ref,
        expectedOutputColumn: transform.expected_output_column,
      }),
    ),
    columns: new Map(Object.entries(shape.columns ?? {})),
    deleteMode: shape.delete_mode,
    staging: shape.staging,
    pipeline: shape.pipeline,
    renames: new Map(allRenames(shape)),
    hints: {
      using: new Map(hints?.type_changes.map(({ column, using }) => [column, using])),
      beforeNotNull: new Map(hints?.set_not_null.map(({ column, pre_sql }) => [column, pre_sql])),
    },
  });
}

function below(at: Location, ...keys: readonly (string | number)[]): Location {
  return { file: at.file, keys: [...at.keys, ...keys] };
}
