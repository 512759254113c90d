import { isPort, type Server } from '@cdc-migrations/config';

/** A server with its variables resolved, ready for a connection. */
export interface ResolvedServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly encrypt?: boolean;
  readonly trustServerCertificate?: boolean;
  readonly sslmode?: NonNullable<Server['sslmode']>;
  readonly caFile?: string;
}

/** Thrown with all variables that a server needs and the environment does not set. Values are never shown. */
export class MissingVariablesError extends Error {
  override readonly name = 'MissingVariablesError';
  constructor(
    readonly names: readonly string[],
    readonly server: Server,
  ) {
    super(`${locationOf(server)} needs ${names.join(', ')}; set them in the environment`);
  }
}

/** Thrown if the value of a port is not a number from 1 to 65535. The value is not shown. */
export class InvalidPortError extends Error {
  override readonly name = 'InvalidPortError';
  constructor(readonly server: Server) {
    super(`${locationOf(server)}: ${server.port} gives no port; expected a number from 1 to 65535`);
  }
}

/**
 * Replaces every `${NAME}` in a server with its value. An empty variable counts as missing, except for a password.
 * Throws MissingVariablesError or InvalidPortError.
 */
export function resolveServer(
  server: Server,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedServer {
  const { at: _at, caFile, ...settings } = server;
  const missing = new Set<string>();
  const resolve = (text: string, mayBeEmpty: 'mayBeEmpty' | 'filled' = 'filled') =>
    text.replace(VARIABLE, (_, variable: string) => {
      const value = env[variable];
      if (value === undefined || (value === '' && mayBeEmpty === 'filled')) missing.add(variable);
      return value ?? '';
    });
  const host = resolve(server.host);
  const port = resolve(server.port);
  const user = resolve(server.user);
  const password = resolve(server.password, 'mayBeEmpty');
  const resolvedCaFile = caFile === undefined ? undefined : resolve(caFile);
  if (missing.size > 0) throw new MissingVariablesError([...missing], server);
  if (!isPort(port)) throw new InvalidPortError(server);
  return {
    ...settings,
    ...{ host, port: Number(port), user, password },
    ...(resolvedCaFile !== undefined && { caFile: resolvedCaFile }),
  };
}

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

function locationOf({ at, name }: Server): string {
  return `server "${name}" of ${at.keys[0]} (${at.file})`;
}
