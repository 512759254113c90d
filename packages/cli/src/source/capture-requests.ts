import type { Config } from '@cdc-migrations/config';
import type { PublicationRequest, SourcePlan } from '@cdc-migrations/introspect';
import { buildDefinitions, type TableDefinition } from '@cdc-migrations/table-defs';
import { CommandError } from '../exit-code.ts';
import { readSnapshots } from '../repo/read-outputs.ts';

/**
 * Returns the tables to capture in a database, each with the columns and keys of its definitions, and the signal table,
 * which Debezium reads in the same way.
 *
 * @param only names such as `Actor` or `dbo.Actor`. The default is all tables.
 * @throws ConfigError, and CommandError for an unknown name
 */
export function captureRequests(
  root: string,
  config: Config,
  { group, services }: SourcePlan,
  only: readonly string[] | undefined,
): readonly PublicationRequest[] {
  const names = new Set(services.map(({ name }) => name));
  const { tables } = buildDefinitions(config, readSnapshots(root));
  const requests = new Map<string, PublicationRequest>();
  const add = ({ schema, table, columns, keys }: PublicationRequest) => {
    const key = JSON.stringify([schema, table]);
    const before = requests.get(key);
    const all = new Set([...(before?.columns ?? []), ...columns]);
    requests.set(key, {
      schema,
      table,
      columns: [...all],
      keys: [...(before?.keys ?? []), ...keys],
    });
  };
  for (const definition of tables) {
    if (!names.has(definition.service)) continue;
    const { schema, table } = definition.source;
    add({ schema, table, columns: sourceColumns(definition), keys: sourceKeys(definition) });
  }
  if (group.signalTable)
    add({ ...group.signalTable, columns: ['id', 'type', 'data'], keys: [['id']] });
  return selectTables([...requests.values()], only);
}

function sourceColumns(definition: TableDefinition): readonly string[] {
  const columns: readonly { readonly source?: { readonly name: string } }[] = definition.columns;
  return columns.flatMap(({ source }) => source?.name ?? []);
}

/** Returns the source columns of the key, which delete events need. */
function sourceKeys(definition: TableDefinition): readonly (readonly string[])[] {
  if (definition.kind !== 'replicated') return [];
  const { columns, key } = definition;
  const keyColumns = columns.filter(({ name }) => key?.columns.includes(name));
  return [keyColumns.flatMap(({ source }) => source?.name ?? [])];
}

function selectTables(
  requests: readonly PublicationRequest[],
  only: readonly string[] | undefined,
): readonly PublicationRequest[] {
  if (!only) return requests;
  const isNamed = ({ schema, table }: PublicationRequest, name: string) =>
    [table, `${schema}.${table}`].some((known) => known.toLowerCase() === name.toLowerCase());
  const unknown = only.find((name) => !requests.some((request) => isNamed(request, name)));
  if (unknown !== undefined) {
    throw new CommandError(
      `--table ${unknown}: no service contains this table; known: ${requests.map(({ table }) => table).join(', ')}`,
    );
  }
  return requests.filter((request) => only.some((name) => isNamed(request, name)));
}
