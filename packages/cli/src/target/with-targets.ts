import { EMBEDDED, openTargets, type CommandRepo, type TargetOptions } from './open-targets.ts';

export interface WorkOptions {
  /** The work ends by itself when a signal asks for it; else the embedded PostgreSQL is stopped, and the process ends. */
  readonly endsOnSignal?: boolean;
}

/**
 * Does work on the targets of an environment; the embedded PostgreSQL runs for as long.
 *
 * @throws ConfigError, CommandError
 */
export async function withTargets(
  options: TargetOptions,
  work: (repo: CommandRepo) => Promise<number>,
  workOptions: WorkOptions = {},
): Promise<number> {
  if (options.env !== EMBEDDED) return work(openTargets(options));
  const { withEmbedded } = await import('./embedded/with-embedded.ts');
  return withEmbedded(options, work, workOptions);
}
