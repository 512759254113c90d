import { spawnSync } from 'node:child_process';

/** Runs the random walks of table definitions, as many as the environment variable says, and gives their exit code. */
export function walkDefinitions(): number {
  const walks = 'tools/e2e/src/evolution-walks.spec.ts';
  return spawnSync('npx', ['jest', walks, '-w', '1'], { stdio: 'inherit' }).status ?? 1;
}
