import type { Host } from '../batch/host.ts';
import type { EncryptionMode } from '../tds/prelogin.ts';
import type { SecureContexts } from './create-certificate.ts';
import type { FaultBox } from './fault.ts';
import type { LoginAccount } from './login-reply.ts';
import type { Transport } from './open-transport.ts';
import type { ServedRequest } from './served-request.ts';

/** What all connections of a server share. */
export interface ServerContext {
  readonly host: Host;
  readonly encryption: EncryptionMode;
  readonly tls: SecureContexts;
  readonly logins: readonly LoginAccount[];
  readonly faults: FaultBox;
  readonly record: (request: ServedRequest) => void;
  /** A mistake of the fixture, not of a client. */
  readonly onInternalError: (error: unknown) => void;
}

/** A client's connection as its parts share it. */
export interface Connection {
  readonly number: number;
  readonly context: ServerContext;
  readonly transport: Transport;
  /** Aborts when the connection is gone. */
  readonly closed: AbortSignal;
  /** The request that runs, for an attention to stop; undefined between requests. */
  running: AbortController | undefined;
  packetBytes: number;
}
