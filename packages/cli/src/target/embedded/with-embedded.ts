import type { CommandRepo, TargetOptions } from '../open-targets.ts';

export async function withEmbedded(
  _options: TargetOptions,
  _work: (repo: CommandRepo) => Promise<number>,
): Promise<number> {
  throw new Error('not yet');
}
