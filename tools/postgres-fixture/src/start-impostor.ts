import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A fake database server that sends prepared answers and records what clients send. */
export interface Impostor {
  readonly host: string;
  readonly port: number;
  /**
   * Answers with these segments from now on, and discards the records.
   *
   * @param waits waits until the client has sent something. Otherwise it answers on connection.
   */
  answer(segments: readonly Uint8Array[], waits?: boolean): void;
  /** Returns everything that clients sent. */
  received(): Buffer;
  /** Counts the connections. */
  connections(): number;
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** Pause that is long enough for each segment to arrive separately. */
const PAUSE_MS = 20;

/** Starts an impostor on a free port of the loopback interface. */
export async function startImpostor(port = 0): Promise<Impostor> {
  const sockets = new Set<Socket>();
  let segments: readonly Uint8Array[] = [];
  let waitsForClient = true;
  let chunks: Buffer[] = [];
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    const own = chunks; // Late data of a client belongs to its answer.
    socket.on('data', (chunk) => own.push(chunk));
    if (waitsForClient) socket.once('data', () => void send(socket, segments));
    else void send(socket, segments);
  }).listen(port, LOOPBACK);
  await once(server, 'listening');
  return {
    host: LOOPBACK,
    port: (server.address() as AddressInfo).port,
    answer: (next, waits = true) => {
      segments = next;
      waitsForClient = waits;
      chunks = [];
    },
    received: () => Buffer.concat(chunks),
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function send(socket: Socket, segments: readonly Uint8Array[]): Promise<void> {
  for (const segment of segments) {
    socket.write(segment);
    await sleep(PAUSE_MS);
  }
}
