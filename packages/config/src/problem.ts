import type { ConfigPath } from './config.ts';
import { visible } from '@cdc-migrations/generated-file';

/** One mistake in the YAML that people write: where it stands, what is wrong, what would be right. */
export interface Problem {
  readonly at: ConfigPath;
  readonly message: string;
  /** The key or index below `at` that the message is about, where it is not part of the path: an unknown key. */
  readonly key?: string | number;
  /** Counted from 1; found when the problem is reported. */
  readonly line?: number;
}

/** Thrown with every problem that was found, never only the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}

/** `services/adopus.yaml:14 adopus.source.tables.dbo.Actor: unknown key "x"; known: …`. */
export function formatProblem({ at, line, message }: Problem): string {
  const place = line === undefined ? at.file : `${at.file}:${line}`;
  return visible(`${[place, at.keys.join('.')].filter(Boolean).join(' ')}: ${message}`);
}
