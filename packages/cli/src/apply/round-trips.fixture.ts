import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that counts how often a client that had got an answer asked again. */
export interface RoundTripCounter {
  readonly port: number;
  readonly roundTrips: () => number;
  readonly close: () => void;
}

/** Counts the questions of all connections together; a good-bye, which waits for no answer, is none. */
export async function countRoundTrips(targetPort: number): Promise<RoundTripCounter> {
  let count = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(targetPort, '127.0.0.1');
    let isAsking = false;
    client.on('data', (data) => {
      if (!isAsking && data[0] !== 'X'.charCodeAt(0)) count++;
      isAsking = true;
      server.write(data);
    });
    server.on('data', (data) => {
      isAsking = false;
      client.write(data);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('close', () => other.destroy());
      socket.on('error', () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    roundTrips: () => count,
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
