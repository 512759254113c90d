export { jitter, pause, startDelays, tryUntil } from './back-off.ts';
export type { Delays } from './back-off.ts';
export { connectPostgresSocket, networkError } from './connect-socket.ts';
export type { SocketOptions } from './connect-socket.ts';
export {
  demandsEncryption,
  errorsIn,
  findConnectionFailure,
  findSystemError,
  isErrorLike,
} from './connection-failure.ts';
export type { ConnectionFailure, ErrorLike, SystemError } from './connection-failure.ts';
export { InvalidPortError, MissingVariablesError, resolveServer } from './resolve-server.ts';
export type { ResolvedServer } from './resolve-server.ts';
export { CertificateFileError, postgresTls, readCa } from './tls.ts';
export type { TlsSettings } from './tls.ts';
