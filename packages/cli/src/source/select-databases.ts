import type { Config } from '@cdc-migrations/config';
import { planCustomers, type SourcePlan } from '@cdc-migrations/introspect';
import { CommandError } from '../exit-code.ts';

/** Options that select the source databases of a command. */
export interface DatabaseOptions {
  readonly root?: string;
  readonly env: string;
  readonly customer?: readonly string[];
  readonly all?: boolean;
}

/**
 * Selects the databases of the named customers, or of all. The default is the only one of the environment.
 *
 * @throws CommandError if there are several and none was selected
 */
export function selectDatabases(config: Config, options: DatabaseOptions): readonly SourcePlan[] {
  const { env, customer, all } = options;
  const plans = planEnvironment(config, options);
  if (plans.length > 1 && !customer && !all) {
    const names = plans.map(({ source }) => source).join(', ');
    throw new CommandError(
      `the environment "${env}" has ${plans.length} databases; choose databases with --customer <a,b>, or use --all (${names})`,
    );
  }
  return plans;
}

/**
 * Plans the databases of an environment, or those of some customers in it.
 *
 * @throws CommandError if there are none
 */
export function planEnvironment(
  config: Config,
  { env, customer, all }: DatabaseOptions,
  services?: readonly string[],
): readonly SourcePlan[] {
  if (customer && all) throw new CommandError('--customer and --all cannot be used together');
  const plans = planCustomers(config, env, customer, { services });
  if (plans.length > 0) return plans;
  const envs = [...new Set(config.sourceGroups.flatMap((group) => group.envs))].join(', ');
  throw new CommandError(`no source has the environment "${env}"; known: ${envs}`);
}
