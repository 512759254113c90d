import { isAbsolute, join } from 'node:path';
import type { Server } from '@cdc-migrations/config';
import { resolveServer, type ResolvedServer } from '@cdc-migrations/session';

/**
 * Resolves the variables of a server of a repo. Its `ca_file` is relative to the repo.
 *
 * @throws MissingVariablesError, InvalidPortError
 */
export function resolveRepoServer(root: string, server: Server): ResolvedServer {
  const resolved = resolveServer(server, process.env);
  const { caFile } = resolved;
  if (caFile === undefined || isAbsolute(caFile)) return resolved;
  return { ...resolved, caFile: join(root, caFile) };
}
