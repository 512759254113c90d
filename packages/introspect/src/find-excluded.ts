import type { Problem, Service, SourceGroup } from '@cdc-migrations/config';

/**
 * Tables that a service names and its source group's patterns exclude: the two contradict each other, and either may be
 * the mistake. A pattern is searched in the name of the table, or of the schema; for SQL Server without case.
 */
export function findExcluded(group: SourceGroup, service: Service): readonly Problem[] {
  const flags = group.type === 'mssql' ? 'i' : '';
  const compile = (patterns: readonly string[]) =>
    patterns.map((pattern) => ({ pattern, expression: new RegExp(pattern, flags) }));
  const schemas = compile(group.schemaExcludePatterns);
  const tables = compile(group.tableExcludePatterns);
  const included = compile(group.tableIncludePatterns);
  return service.tables.flatMap(({ at, schema, table }) => {
    const bySchema = schemas.find(({ expression }) => expression.test(schema));
    const byTable = tables.find(({ expression }) => expression.test(table));
    const isIncluded =
      included.length === 0 || included.some(({ expression }) => expression.test(table));
    const reason = bySchema
      ? `schema_exclude_patterns has "${bySchema.pattern}"`
      : byTable
        ? `table_exclude_patterns has "${byTable.pattern}"`
        : isIncluded
          ? undefined
          : 'table_include_patterns has nothing that fits';
    if (reason === undefined) return [];
    const message = `the service names this table and ${group.at.file} excludes it: ${reason}; change one of the two`;
    return [{ at, message }];
  });
}
