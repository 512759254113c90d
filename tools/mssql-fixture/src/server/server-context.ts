import type { Host } from '../batch/host.ts';
import type { EncryptionMode } from '../tds/prelogin.ts';
import type { SecureContexts } from './create-certificate.ts';
import type { FaultBox } from './fault.ts';
import type { LoginAccount } from './login-reply.ts';
import type { Transport } from './open-transport.ts';
import type { ServedRequest } from './served-request.ts';

/** State that all connections of a server share. */
export interface ServerContext {
  readonly host: Host;
  readonly encryption: EncryptionMode;
  readonly tls: SecureContexts;
  readonly logins: readonly LoginAccount[];
  readonly faults: FaultBox;
  readonly record: (request: ServedRequest) => void;
  /** Reports an internal error of the fixture. */
  readonly onInternalError: (error: unknown) => void;
}

/** State that the parts of a client's connection share. */
export interface Connection {
  readonly number: number;
  readonly context: ServerContext;
  readonly transport: Transport;
  /** Aborts when the connection is closed. */
  readonly closed: AbortSignal;
  /** The running request, for an attention signal to stop. Undefined between requests. */
  running: AbortController | undefined;
  packetBytes: number;
}
