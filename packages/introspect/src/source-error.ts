import type { ConnectionFailure } from '@cdc-migrations/session';
import { describeSource, type SourceDatabase } from './source-database.ts';

/** A failure of a source or of the connection to it. The message is one line: what happened, and what to do. */
export abstract class SourceError extends Error {
  readonly database: string;
  readonly host: string;
  readonly port: number;
  readonly serverName: string;

  constructor(source: SourceDatabase, message: string, options?: ErrorOptions) {
    super(oneLine(`${describeSource(source)}: ${message}`, source.server.password), options);
    this.database = source.database;
    this.host = source.server.host;
    this.port = source.server.port;
    this.serverName = source.server.name;
  }
}

/** The connection failed: connection refused, unknown host, or no route to host. */
export class ServerUnreachableError extends SourceError {
  override readonly name = 'ServerUnreachableError';
  constructor(
    source: SourceDatabase,
    readonly reason: 'refused' | 'unknown host' | 'no route' | 'no database server',
    options?: ErrorOptions,
  ) {
    super(source, UNREACHABLE[reason](source.server.name), options);
  }
}

const UNREACHABLE: {
  readonly [R in ServerUnreachableError['reason']]: (server: string) => string;
} = {
  refused: (server) =>
    `connection refused; start the server, or fix host and port of the server "${server}" in source-groups.yaml or in its variables`,
  'unknown host': (server) =>
    `unknown host; fix the host of the server "${server}" in source-groups.yaml or in its variables`,
  'no route': () => 'no route to host; check the network, the VPN and the firewall',
  'no database server': (server) =>
    `the connection was closed before the login; is it the port of the database server "${server}"?`,
};

/** The connection was lost. */
export class ConnectionLostError extends SourceError {
  override readonly name = 'ConnectionLostError';
  constructor(source: SourceDatabase, options?: ErrorOptions) {
    super(
      source,
      'the connection was lost before the answer was complete; run it again, and check the server log if it persists',
      options,
    );
  }
}

/** The timeout expired without an answer. */
export class SourceTimeoutError extends SourceError {
  override readonly name = 'SourceTimeoutError';
  constructor(
    source: SourceDatabase,
    readonly phase: 'connect' | 'query',
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    const what = phase === 'connect' ? 'no connection' : 'no complete answer';
    super(
      source,
      `${what} within ${timeoutMs / 1000} s; run it again, or allow more with --timeout <seconds>`,
      options,
    );
  }
}

/** User name or password is wrong, or the login has no right to connect. */
export class LoginRefusedError extends SourceError {
  override readonly name = 'LoginRefusedError';
  constructor(source: SourceDatabase, detail: string, options?: ErrorOptions) {
    const { name } = source.server;
    super(
      source,
      `the server refused the login (${detail}); fix user and password of the server "${name}", which come from variables in source-groups.yaml`,
      options,
    );
  }
}

/** The database does not exist, or the login has no right to see it. */
export class UnknownDatabaseError extends SourceError {
  override readonly name = 'UnknownDatabaseError';
  constructor(source: SourceDatabase, options?: ErrorOptions) {
    super(
      source,
      `the server has no database "${source.database}", or the login may not open it; fix the name in source-groups.yaml or grant access`,
      options,
    );
  }
}

/** The server's certificate is not signed by a trusted authority, or is for another host. */
export class UntrustedCertificateError extends SourceError {
  override readonly name = 'UntrustedCertificateError';
  constructor(source: SourceDatabase, detail: string, options?: ErrorOptions) {
    const trust = source.type === 'mssql' ? 'trust_server_certificate: true' : 'sslmode: require';
    super(
      source,
      `the certificate of the server is not trusted (${detail}); name its authority with ca_file, or set ${trust} for the server "${source.server.name}" in source-groups.yaml`,
      options,
    );
  }
}

/** One side requires TLS and the other does not support it, or they have no common version. */
export class EncryptionError extends SourceError {
  override readonly name = 'EncryptionError';
  constructor(
    source: SourceDatabase,
    readonly reason: 'not offered' | 'required' | 'failed',
    options?: ErrorOptions,
  ) {
    super(source, ENCRYPTION[reason](source), options);
  }
}

const ENCRYPTION: {
  readonly [R in EncryptionError['reason']]: (source: SourceDatabase) => string;
} = {
  'not offered': ({ type, server }) =>
    `the server does not support TLS, and nothing was sent; enable it on the server, or set ${type === 'mssql' ? 'encrypt: false' : 'sslmode: disable'} for the server "${server.name}" in source-groups.yaml`,
  required: ({ type, server }) =>
    `the server requires TLS; remove ${type === 'mssql' ? 'encrypt: false' : 'sslmode: disable'} from the server "${server.name}" in source-groups.yaml`,
  failed: () =>
    'client and server have no common TLS version; the server needs TLS 1.2 with a modern certificate',
};

/** A connection that failed before the login was complete. */
interface FailedConnection {
  readonly failure: ConnectionFailure;
  /** Message of the operating system or the driver. */
  readonly message: string;
  readonly timeoutMs: number;
}

/** Converts a failed connection to an error. `lost` means that the server closed the connection before the login. */
export function connectionError(
  source: SourceDatabase,
  failed: FailedConnection,
  options: ErrorOptions,
): SourceError {
  return CONNECTION_ERRORS[failed.failure](source, failed, options);
}

type Build = (
  source: SourceDatabase,
  failed: FailedConnection,
  options: ErrorOptions,
) => SourceError;

const unreachable =
  (reason: ServerUnreachableError['reason']): Build =>
  (source, _failed, options) =>
    new ServerUnreachableError(source, reason, options);
const unencrypted =
  (reason: EncryptionError['reason']): Build =>
  (source, _failed, options) =>
    new EncryptionError(source, reason, options);

const CONNECTION_ERRORS: { readonly [F in ConnectionFailure]: Build } = {
  refused: unreachable('refused'),
  'unknown host': unreachable('unknown host'),
  'lookup failed': unreachable('unknown host'),
  'no route to host': unreachable('no route'),
  'no route to network': unreachable('no route'),
  lost: unreachable('no database server'),
  timeout: (source, { timeoutMs }, options) =>
    new SourceTimeoutError(source, 'connect', timeoutMs, options),
  'no encryption offered': unencrypted('not offered'),
  'encryption demanded': unencrypted('required'),
  'encryption failed': unencrypted('failed'),
  'untrusted certificate': (source, { message }, options) =>
    new UntrustedCertificateError(source, message, options),
};

/** The login does not have the required permission. */
export class PermissionDeniedError extends SourceError {
  override readonly name = 'PermissionDeniedError';
  constructor(source: SourceDatabase, detail: string, options?: ErrorOptions) {
    super(source, `the login is missing a permission (${detail}); grant it`, options);
  }
}

/** The login sees no table. */
export class EmptyDatabaseError extends SourceError {
  override readonly name = 'EmptyDatabaseError';
  constructor(source: SourceDatabase) {
    const grant = source.type === 'mssql' ? ' Else grant the login VIEW DEFINITION' : '';
    super(source, `the database has no table that the login sees; is it the right one?${grant}`);
  }
}

/** Tables of the service that the source does not have. */
export class MissingTablesError extends SourceError {
  override readonly name = 'MissingTablesError';
  constructor(
    source: SourceDatabase,
    readonly missing: readonly MissingTable[],
    options?: ErrorOptions,
  ) {
    const names = missing.map(
      ({ table, hint }) => `${table}${hint === undefined ? '' : ` (${hint})`}`,
    );
    const grant = source.type === 'mssql' ? ', or grant the login VIEW DEFINITION' : '';
    super(
      source,
      `there is no table ${names.join(', ')}; fix the names under source.tables of the service${grant}`,
      options,
    );
  }
}

/** A selected table that the source does not have. */
export interface MissingTable {
  /** `dbo.Aktor` */
  readonly table: string;
  /** Names that the user may have meant. */
  readonly hint?: string;
}

/** The structure changed while it was read. */
export class SourceChangedError extends SourceError {
  override readonly name = 'SourceChangedError';
  constructor(
    source: SourceDatabase,
    readonly tables: readonly string[],
  ) {
    super(
      source,
      `${tables.join(', ')} changed while the structure was read; run it again when no tables are being altered`,
    );
  }
}

/** Any other error of the server. */
export class SourceQueryError extends SourceError {
  override readonly name = 'SourceQueryError';
  constructor(
    source: SourceDatabase,
    /** Error number of SQL Server, or SQLSTATE of PostgreSQL. */
    readonly code: string,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(source, `the server reports ${code}: ${detail}`, options);
  }
}

/** The database has no change data capture. */
export class CaptureDisabledError extends SourceError {
  override readonly name = 'CaptureDisabledError';
  constructor(source: SourceDatabase) {
    super(source, 'change data capture is off in this database; enable it with enable-cdc');
  }
}

/** `ca_file` names a file that cannot be read. */
export class CaFileError extends SourceError {
  override readonly name = 'CaFileError';
  constructor(
    source: SourceDatabase,
    readonly file: string,
    options: ErrorOptions,
  ) {
    super(
      source,
      `ca_file ${file} of the server "${source.server.name}" cannot be read; name a file with certificates in PEM`,
      options,
    );
  }
}

/** Minimum length of a secret to remove. Shorter secrets occur in ordinary words. */
const MIN_SECRET_LENGTH = 4;

/** Renders a server's message as one line and removes the password if the message quotes it. */
function oneLine(text: string, password: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return password.length < MIN_SECRET_LENGTH ? line : line.replaceAll(password, '***');
}
