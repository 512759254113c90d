import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Fault that replaces a query. */
export type Fault = keyof typeof INSTEAD | 'cut' | 'gone';

/**
 * Queries that make the server fail in any state of the session. `timed out` needs a session that holds the advisory
 * lock 1.
 */
const INSTEAD = {
  cancelled:
    'SELECT pg_catalog.pg_cancel_backend(pg_catalog.pg_backend_pid()), pg_catalog.pg_sleep(60)',
  terminated:
    'SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()), pg_catalog.pg_sleep(60)',
  // A role that may not read it. The setting ends with the transaction.
  refused: `SELECT pg_catalog.set_config('role', 'pg_monitor', true),
    pg_catalog.query_to_xml('TABLE pg_catalog.pg_authid', true, true, '')`,
  'lock timed out': `SELECT pg_catalog.set_config('lock_timeout', '10', true), pg_catalog.pg_advisory_xact_lock(1)`,
} as const;

/** A proxy to a server that makes one query of a client fail. */
export interface FaultProxy {
  readonly port: number;
  /** Texts of the queries so far, of all connections in order. */
  readonly queries: readonly string[];
  /** Local ports of its connections to the server, `client_port` of pg_stat_activity. */
  readonly clientPorts: readonly number[];
  /** Makes the n-th query from now on fail, counted from 0. */
  arm(n: number, fault: Fault): void;
  close(): Promise<void>;
}

/**
 * Starts the proxy. A cut connection is reset at once. A server that is gone refuses every further connection. Messages
 * of the protocol: https://www.postgresql.org/docs/15/protocol-message-formats.html
 */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const queries: string[] = [];
  const clientPorts: number[] = [];
  let armed: { readonly n: number; readonly fault: Fault } | undefined;
  let isGone = false;
  const cutAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
    sockets.clear();
  };
  const proxy = createServer({ noDelay: true }, (client) => {
    if (isGone) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    server.on('connect', () => clientPorts.push(server.localPort!));
    const cut = () => [client, server].forEach((socket) => socket.resetAndDestroy());
    const pass = splitMessages((message) => {
      const text = queryIn(message);
      const fault = text !== undefined && queries.length === armed?.n ? armed.fault : undefined;
      if (text !== undefined) queries.push(text);
      if (fault === 'cut') return cut();
      if (fault === 'gone') {
        isGone = true;
        return cutAll();
      }
      server.write(fault === undefined ? message : replaceQuery(message, INSTEAD[fault]));
    });
    client.on('data', pass);
    server.on('data', (data) => client.write(data));
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.end();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    queries,
    clientPorts,
    arm: (n, fault) => (armed = { n, fault }),
    close: async () => {
      cutAll();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

const [QUERY, PARSE] = ['Q', 'P'].map((letter) => letter.charCodeAt(0));

/** Splits the data of a client into messages. The first has no type letter. */
function splitMessages(onMessage: (message: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isFirst = true;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const lengthAt = isFirst ? 0 : 1;
      if (rest.length < lengthAt + 4) return;
      const end = lengthAt + rest.readInt32BE(lengthAt);
      if (rest.length < end) return;
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      isFirst = false;
      onMessage(message);
    }
  };
}

/** Returns the text of a query or of a prepared statement. */
function queryIn(message: Buffer): string | undefined {
  if (message[0] === QUERY) return message.toString('utf8', 5, message.length - 1);
  if (message[0] !== PARSE) return undefined;
  const start = message.indexOf(0, 5) + 1;
  return message.toString('utf8', start, message.indexOf(0, start));
}

/** Returns the message with another text. A prepared statement keeps its parameters. */
function replaceQuery(message: Buffer, text: string): Buffer {
  if (message[0] === QUERY) return encode('Q', Buffer.from(`${text}\0`));
  const start = message.indexOf(0, 5) + 1;
  const end = message.indexOf(0, start);
  const parameters = new Set(queryIn(message)!.match(/\$\d+/g)).size;
  const kept = Array.from({ length: parameters }, (_, n) => `, $${n + 1}::text`).join('');
  const [name, types] = [message.subarray(5, start), message.subarray(end)];
  return encode('P', Buffer.concat([name, Buffer.from(text + kept), types]));
}

function encode(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, letter);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
