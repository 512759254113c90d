import { schemaLabel, type TableDefinition } from '@cdc-migrations/table-defs';
import { nearest } from '@cdc-migrations/shape';
import { shortName } from '@cdc-migrations/sql-text';
import { CommandError } from '../exit-code.ts';

/** Selection by `--table` and `--service`. Each selects everything if it is not given. */
export interface Selection {
  readonly table?: readonly string[] | undefined;
  readonly service?: readonly string[] | undefined;
}

/**
 * Selects tables by `<Table>` or `<schema>.<Table>` as configured, within the named services.
 *
 * @param option name of the option or command in errors
 * @throws CommandError with all names without a match
 */
export function selectTables(
  tables: readonly TableDefinition[],
  { table, service }: Selection,
  option = '--table',
): readonly TableDefinition[] {
  const services = new Set(tables.map((entry) => entry.service));
  const problems = [
    ...(service ?? [])
      .filter((name) => !services.has(name))
      .map((name) => `--service: unknown service "${name}"; the services are: ${list(services)}`),
    ...(table ?? [])
      .filter((name) => !tables.some((entry) => isNamed(entry, name)))
      .map((name) => `${option}: unknown table "${name}"${suggestion(tables, name)}`),
  ];
  if (problems.length > 0) throw new CommandError(problems.join('\n'));
  const selected = tables
    .filter((entry) => service?.includes(entry.service) ?? true)
    .filter((entry) => table?.some((name) => isNamed(entry, name)) ?? true);
  if (selected.length > 0) return selected;
  throw new CommandError(
    `${option} ${list(table ?? [])}: no table of the service ${list(service ?? [])}`,
  );
}

/**
 * Returns true if the name selects the table. A name over 63 bytes is in the configuration only, and the definition has
 * the name that PostgreSQL keeps.
 */
function isNamed(entry: TableDefinition, name: string): boolean {
  const schema = `${schemaLabel(entry)}.`;
  return (
    entry.name === shortName(name) ||
    (name.startsWith(schema) && entry.name === shortName(name.slice(schema.length)))
  );
}

function suggestion(tables: readonly TableDefinition[], name: string): string {
  const lower = name.toLowerCase();
  const near = tables.find((entry) => isNamed({ ...entry, name: entry.name.toLowerCase() }, lower));
  const all = tables.map((entry) => entry.name);
  const guess = near?.name ?? nearest(name, all);
  return guess === undefined ? `; the tables are: ${list(all)}` : `; did you mean "${guess}"?`;
}

function list(names: Iterable<string>): string {
  return [...new Set(names)].join(', ');
}
