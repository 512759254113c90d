import type { ServiceConfig } from '@cdc-migrations/config';
import type { TableMapping } from './find-source.ts';
import { goneAt, problemAt, suggestion, type ProblemList } from './problems.ts';
import { canonicalType } from './types/canonical-type.ts';
import type { OverrideScope } from './types/map-type.ts';

/** Returns the scope for looking up the type overrides of a table's columns. */
export function overrideScope(
  { sink, selection }: TableMapping,
  { sinkGroups, typeOverrides }: ServiceConfig,
): OverrideScope {
  const group = sinkGroups.find(({ name }) => sink.sink.startsWith(`${name}.`))?.sourceGroup;
  return {
    overrides: group === undefined ? undefined : typeOverrides.get(group),
    table: `${selection.schema}.${selection.table}`,
  };
}

/** Reports invalid types, and overrides for columns that do not exist in a table of the services. */
export function checkTypeOverrides(
  config: ServiceConfig,
  mappings: readonly TableMapping[],
  problems: ProblemList,
): void {
  for (const { at, types, tables } of config.typeOverrides.values()) {
    const check = (entries: ReadonlyMap<string, string>, keys: readonly string[]) => {
      for (const [name, type] of entries) {
        if (canonicalType(type) !== undefined) continue;
        problems.errors.push(problemAt(at, [...keys, name], noType(type)));
      }
    };
    check(types, ['types']);
    for (const [table, of] of tables) {
      check(of.types, ['tables', table, 'types']);
      check(of.columns, ['tables', table, 'columns']);
    }
  }
  for (const mapping of mappings) checkColumns(mapping, config, problems);
}

/** Returns the message for an invalid type in the configuration. */
export function noType(type: string): string {
  return `"${type}" is not a supported PostgreSQL type`;
}

function checkColumns(mapping: TableMapping, config: ServiceConfig, problems: ProblemList): void {
  const { overrides, table } = overrideScope(mapping, config);
  const names = mapping.source.columns.map(({ name }) => name);
  for (const column of overrides?.tables.get(table)?.columns.keys() ?? []) {
    if (names.includes(column)) continue;
    const message = `${table} has no column "${column}"${suggestion(column, names)}`;
    problems.errors.push(goneAt(overrides!.at, ['tables', table, 'columns', column], message));
  }
}
