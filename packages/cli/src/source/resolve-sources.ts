import { MissingVariablesError } from '@cdc-migrations/session';
import type { SourcePlan, SourceDatabase } from '@cdc-migrations/introspect';
import { CommandError } from '../exit-code.ts';
import { resolveRepoServer } from '../repo/resolve-repo-server.ts';

/** A selected database with its connection settings. */
export interface PlannedSource<Plan = SourcePlan> {
  readonly plan: Plan;
  readonly source: SourceDatabase;
}

/**
 * Resolves the variables of the plans' databases.
 *
 * @throws CommandError with every missing variable
 */
export function resolveSources<Plan extends Pick<SourcePlan, 'group' | 'server' | 'database'>>(
  root: string,
  plans: readonly Plan[],
): readonly PlannedSource<Plan>[] {
  const missing = new Map<string, MissingVariablesError>();
  const sources = plans.flatMap((plan) => {
    const { group, server, database } = plan;
    try {
      const resolved = resolveRepoServer(root, server);
      return [{ plan, source: { type: group.type, server: resolved, database } }];
    } catch (error) {
      if (!(error instanceof MissingVariablesError)) {
        throw new CommandError((error as Error).message, undefined, { cause: error });
      }
      missing.set(server.at.keys.join('.'), error);
      return [];
    }
  });
  if (missing.size > 0) throw missingVariables([...missing.values()]);
  return sources;
}

function missingVariables(errors: readonly MissingVariablesError[]): CommandError {
  const names = [...new Set(errors.flatMap((error) => error.names))];
  const servers = errors.map(({ server }) => `"${server.name}" of ${server.at.keys[0]}`).join(', ');
  return new CommandError(
    `${errors[0]!.server.at.file}: the server ${servers} needs ${names.join(', ')}; set ${names.length > 1 ? 'them' : 'it'} in the environment`,
  );
}
