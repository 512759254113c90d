import {
  EMBEDDED,
  openTargets,
  type CommandRepo,
  type TargetOptions,
  type WorkOptions,
} from './open-targets.ts';

/**
 * Runs work on the targets of an environment. The embedded PostgreSQL runs during the work.
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
