import type { TableChange, TableDefinition } from '@cdc-migrations/table-defs';
import { readDependants, type InTheWay } from '@cdc-migrations/tracker';
import type { Table } from '../report-lines.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import { openTargets, type CommandTarget } from '../target/open-targets.ts';
import { withSession } from '../target/report-targets.ts';
import { changeFacts } from './change-facts.ts';

/** An object that uses a column in a target and blocks the change of its type. */
export interface Obstacle extends InTheWay {
  /** `sink_asma.directory in nonprod`. */
  readonly target: string;
  readonly schema: string;
  /** Final or staging table. */
  readonly table: string;
  readonly column: string;
}

/**
 * Reads the objects that block changes of type in the targets of an environment.
 *
 * @throws ConfigError, CommandError
 */
export async function readInTheWay(
  root: string,
  env: string,
  changes: readonly TableChange[],
): Promise<readonly Obstacle[]> {
  const retyped = changes.filter((change) => change.kind === 'type changed');
  if (retyped.length === 0) return [];
  const found: Obstacle[] = [];
  for (const target of openTargets({ root, env }).targets) {
    try {
      found.push(...(await readTargetObstacles(target, retyped)));
    } catch (error) {
      throw locateTargetError(error, target.label, target.place);
    }
  }
  return found;
}

async function readTargetObstacles(
  target: CommandTarget,
  changes: readonly Extract<TableChange, { readonly kind: 'type changed' }>[],
): Promise<readonly Obstacle[]> {
  const { migrations, label } = target;
  const columns = changes.flatMap((change) => {
    const { table, before } = change;
    if (table.kind !== 'replicated' || table.set !== migrations.set.name) return [];
    const names = [
      table.name,
      ...(changeFacts(change).staging.length > 0 ? [table.names.staging] : []),
    ];
    return schemasOf(table, target).flatMap((schema) =>
      names.map((name) => ({ schema, name, column: before.name })),
    );
  });
  const find = await withSession(target, 'cdc diff', (session) =>
    readDependants(session, migrations, columns),
  );
  return columns.flatMap(({ schema, name, column }) => {
    const users = find(schema, name, column);
    return users ? [{ target: label, schema, table: name, column, ...users }] : [];
  });
}

/** Returns the schemas of a target that have a table. */
function schemasOf(
  { schema, service }: TableDefinition,
  { migrations: { set }, tenants }: CommandTarget,
): readonly string[] {
  if (schema.scope === 'literal') return [schema.name];
  return set.pattern === 'db-shared' ? [service] : tenants;
}

const HEAD = ['column', 'used by', 'apply'];

/** Renders a row for each blocked column. */
export function renderInTheWay(obstacles: readonly Obstacle[]): readonly Table[] {
  if (obstacles.length === 0) return [];
  const rows = obstacles.map(({ schema, table, column, users, isRecreated }) => [
    `${schema}.${table}.${column}`,
    users,
    isRecreated ? 'drops it and creates it again' : 'is refused',
  ]);
  return [{ head: HEAD, rows }];
}
