import { describeTarget, type SourceTarget } from './source-target.ts';

/** Something that a source or the way to it did; the message is one line: what happened, and what to do. */
export abstract class SourceError extends Error {
  readonly database: string;
  readonly host: string;
  readonly port: number;
  readonly serverName: string;

  constructor(target: SourceTarget, message: string, options?: ErrorOptions) {
    super(oneLine(`${describeTarget(target)}: ${message}`, target.server.password), options);
    this.database = target.database;
    this.host = target.server.host;
    this.port = target.server.port;
    this.serverName = target.server.name;
  }
}

/** No connection came about: nobody listens, the host is unknown, or there is no way to it. */
export class ServerUnreachableError extends SourceError {
  override readonly name = 'ServerUnreachableError';
  constructor(
    target: SourceTarget,
    readonly reason: 'refused' | 'unknown host' | 'no route' | 'no database server',
    options?: ErrorOptions,
  ) {
    super(target, UNREACHABLE[reason](target.server.name), options);
  }
}

const UNREACHABLE: {
  readonly [R in ServerUnreachableError['reason']]: (server: string) => string;
} = {
  refused: (server) =>
    `nothing answers at this port; start the server, or mend host and port of the server "${server}" in source-groups.yaml or in its variables`,
  'unknown host': (server) =>
    `there is no such host; mend the host of the server "${server}" in source-groups.yaml or in its variables`,
  'no route': () =>
    'the host cannot be reached from here; look at the network, the VPN and the firewall',
  'no database server': (server) =>
    `what answers at this port hung up before the login; is it the port of the database server "${server}"?`,
};

/** The connection was there and is gone. */
export class ConnectionLostError extends SourceError {
  override readonly name = 'ConnectionLostError';
  constructor(target: SourceTarget, options?: ErrorOptions) {
    super(
      target,
      'the connection was lost before the answer was complete; run it again, and look at the log of the server if it stays so',
      options,
    );
  }
}

/** Nothing came within the time that was given. */
export class SourceTimeoutError extends SourceError {
  override readonly name = 'SourceTimeoutError';
  constructor(
    target: SourceTarget,
    readonly phase: 'connect' | 'query',
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    const what = phase === 'connect' ? 'no connection' : 'no complete answer';
    super(
      target,
      `${what} within ${timeoutMs / 1000} s; run it again, or allow more with --timeout <seconds>`,
      options,
    );
  }
}

/** User or password are wrong, or the login may not connect. */
export class LoginRefusedError extends SourceError {
  override readonly name = 'LoginRefusedError';
  constructor(target: SourceTarget, detail: string, options?: ErrorOptions) {
    const { name } = target.server;
    super(
      target,
      `the server refused the login (${detail}); mend user and password of the server "${name}", which come from variables in source-groups.yaml`,
      options,
    );
  }
}

/** The server has no such database, or the login may not see it. */
export class UnknownDatabaseError extends SourceError {
  override readonly name = 'UnknownDatabaseError';
  constructor(target: SourceTarget, options?: ErrorOptions) {
    super(
      target,
      `the server has no database "${target.database}", or the login may not open it; mend the name in source-groups.yaml or grant access`,
      options,
    );
  }
}

/** The server's certificate is not signed by anybody that we trust, or not for this host. */
export class UntrustedCertificateError extends SourceError {
  override readonly name = 'UntrustedCertificateError';
  constructor(target: SourceTarget, detail: string, options?: ErrorOptions) {
    const trust = target.type === 'mssql' ? 'trust_server_certificate: true' : 'sslmode: require';
    super(
      target,
      `the certificate of the server is not trusted (${detail}); name its authority with ca_file, or set ${trust} for the server "${target.server.name}" in source-groups.yaml`,
      options,
    );
  }
}

/** One side wants TLS and the other has none, or they find no common version. */
export class EncryptionError extends SourceError {
  override readonly name = 'EncryptionError';
  constructor(
    target: SourceTarget,
    readonly reason: 'not offered' | 'required' | 'failed',
    options?: ErrorOptions,
  ) {
    super(target, ENCRYPTION[reason](target), options);
  }
}

const ENCRYPTION: { readonly [R in EncryptionError['reason']]: (target: SourceTarget) => string } =
  {
    'not offered': ({ type, server }) =>
      `the server offers no encryption, and nothing was sent; set it up there, or set ${type === 'mssql' ? 'encrypt: false' : 'sslmode: disable'} for the server "${server.name}" in source-groups.yaml`,
    required: ({ type, server }) =>
      `the server demands encryption; remove ${type === 'mssql' ? 'encrypt: false' : 'sslmode: disable'} from the server "${server.name}" in source-groups.yaml`,
    failed: () =>
      'client and server did not agree on encryption; the server needs TLS 1.2 with a certificate of today',
  };

/** The login may not do what was asked. */
export class PermissionDeniedError extends SourceError {
  override readonly name = 'PermissionDeniedError';
  constructor(target: SourceTarget, detail: string, options?: ErrorOptions) {
    super(target, `the login lacks a right (${detail}); have it granted`, options);
  }
}

/** There is no table at all that the login sees. */
export class EmptyDatabaseError extends SourceError {
  override readonly name = 'EmptyDatabaseError';
  constructor(target: SourceTarget) {
    const grant = target.type === 'mssql' ? ' Else grant the login VIEW DEFINITION' : '';
    super(target, `the database has no table that the login sees; is it the right one?${grant}`);
  }
}

/** Tables that the service names and the source does not have. */
export class MissingTablesError extends SourceError {
  override readonly name = 'MissingTablesError';
  constructor(
    target: SourceTarget,
    readonly missing: readonly MissingTable[],
    options?: ErrorOptions,
  ) {
    const names = missing.map(
      ({ table, hint }) => `${table}${hint === undefined ? '' : ` (${hint})`}`,
    );
    const grant = target.type === 'mssql' ? ', or grant the login VIEW DEFINITION' : '';
    super(
      target,
      `there is no table ${names.join(', ')}; mend the names under source.tables of the service${grant}`,
      options,
    );
  }
}

export interface MissingTable {
  /** `dbo.Aktor` */
  readonly table: string;
  /** What there is instead. */
  readonly hint?: string;
}

/** The structure changed while it was read. */
export class SourceChangedError extends SourceError {
  override readonly name = 'SourceChangedError';
  constructor(
    target: SourceTarget,
    readonly tables: readonly string[],
  ) {
    super(
      target,
      `${tables.join(', ')} changed or went away while the structure was read; run it again when nobody alters tables`,
    );
  }
}

/** The server answered with an error that has no class of its own. */
export class SourceQueryError extends SourceError {
  override readonly name = 'SourceQueryError';
  constructor(
    target: SourceTarget,
    /** Number of SQL Server, SQLSTATE of PostgreSQL. */
    readonly code: string,
    detail: string,
    options?: ErrorOptions,
  ) {
    super(target, `the server reports ${code}: ${detail}`, options);
  }
}

/** The database has no change data capture. */
export class CaptureDisabledError extends SourceError {
  override readonly name = 'CaptureDisabledError';
  constructor(target: SourceTarget) {
    super(target, 'change data capture is off in this database; enable-cdc switches it on');
  }
}

/** `ca_file` names a file that cannot be read. */
export class CaFileError extends SourceError {
  override readonly name = 'CaFileError';
  constructor(
    target: SourceTarget,
    readonly file: string,
    options: ErrorOptions,
  ) {
    super(
      target,
      `ca_file ${file} of the server "${target.server.name}" cannot be read; name a file with certificates in PEM`,
      options,
    );
  }
}

/** Shorter secrets are parts of ordinary words. */
const MIN_SECRET_LENGTH = 4;

/** A message of a server as one line, without the password should it quote it. */
function oneLine(text: string, password: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return password.length < MIN_SECRET_LENGTH ? line : line.replaceAll(password, '***');
}
