import type { Config } from '@cdc-migrations/config';
import { planCustomers, type SourcePlan } from '@cdc-migrations/introspect';
import { CommandError } from '../exit-code.ts';

/** Options that say which source databases a command works on. */
export interface DatabaseOptions {
  readonly root?: string;
  readonly env: string;
  readonly customer?: readonly string[];
  readonly all?: boolean;
}

/**
 * Databases of the customers that were named, or of all; without either the only one of the environment.
 *
 * @throws CommandError where there are several and none was chosen.
 */
export function selectDatabases(
  config: Config,
  { env, customer, all }: DatabaseOptions,
): readonly SourcePlan[] {
  if (customer && all) throw new CommandError('--customer and --all exclude each other');
  const plans = planCustomers(config, env, customer);
  if (plans.length === 0) {
    const envs = [...new Set(config.sourceGroups.flatMap((group) => group.envs))].join(', ');
    throw new CommandError(`no source has the environment "${env}"; there are ${envs}`);
  }
  if (plans.length > 1 && !customer && !all) {
    const names = plans.map(({ source }) => source).join(', ');
    throw new CommandError(
      `the environment "${env}" has ${plans.length} databases; choose with --customer <a,b>, or --all (${names})`,
    );
  }
  return plans;
}
