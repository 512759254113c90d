import type { Config } from '@cdc-migrations/config';
import type { CaptureRequest, SourcePlan } from '@cdc-migrations/introspect';
import { buildDefinitions, type TableDefinition } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import { readSnapshots } from '../generate/read-outputs.ts';

/**
 * The tables of a database that are to be captured, each with the columns that any of its definitions has.
 *
 * @param only names as `Actor` or `dbo.Actor`; all tables where it is not given.
 * @throws ConfigError, and CommandError for a name that no service has.
 */
export function captureRequests(
  root: string,
  config: Config,
  { services }: SourcePlan,
  only: readonly string[] | undefined,
): readonly CaptureRequest[] {
  const names = new Set(services.map(({ name }) => name));
  const { tables } = buildDefinitions(config, readSnapshots(root));
  const requests = new Map<string, CaptureRequest>();
  for (const definition of tables) {
    if (!names.has(definition.service)) continue;
    const { schema, table } = definition.source;
    const key = JSON.stringify([schema, table]);
    const columns = [...(requests.get(key)?.columns ?? []), ...sourceColumns(definition)];
    requests.set(key, { schema, table, columns: [...new Set(columns)] });
  }
  return selectTables([...requests.values()], only);
}

function sourceColumns(definition: TableDefinition): readonly string[] {
  const columns: readonly { readonly source?: { readonly name: string } }[] = definition.columns;
  return columns.flatMap(({ source }) => source?.name ?? []);
}

function selectTables(
  requests: readonly CaptureRequest[],
  only: readonly string[] | undefined,
): readonly CaptureRequest[] {
  if (!only) return requests;
  const isNamed = ({ schema, table }: CaptureRequest, name: string) =>
    [table, `${schema}.${table}`].some((known) => known.toLowerCase() === name.toLowerCase());
  const unknown = only.find((name) => !requests.some((request) => isNamed(request, name)));
  if (unknown !== undefined) {
    throw new CommandError(
      `--table ${unknown}: no service names this table; known: ${requests.map(({ table }) => table).join(', ')}`,
    );
  }
  return requests.filter((request) => only.some((name) => isNamed(request, name)));
}
