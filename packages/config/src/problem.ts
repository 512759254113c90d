import { formatProblem, type Problem } from '@cdc-migrations/shape';

/** Thrown with every problem of the YAML that users write, never only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}
