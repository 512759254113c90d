import type { SecureContext } from 'node:tls';
import type { LoginAccount } from '../batch/session.ts';
import type { Engine } from '../engine/open-engine.ts';
import type { EncryptionMode } from '../tds/login.ts';
import type { FaultBox } from './fault.ts';
import type { Transport } from './open-transport.ts';

/** A request that a client made after its login. */
export interface ServedRequest {
  readonly kind: 'batch' | 'procedure';
  /** The SQL of a batch or of sp_executesql, else the procedure's name. */
  readonly text: string;
  /**
   * True if the request only sets options, as drivers do after the login. It is no round trip of the program itself.
   */
  readonly isSetup: boolean;
}

/** State that all connections of a server share. */
export interface ServerContext {
  readonly engine: Engine;
  readonly encryption: EncryptionMode;
  readonly tls: SecureContext;
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
