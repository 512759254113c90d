import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy to a server that counts round trips. */
export interface RoundTripCounter {
  readonly port: number;
  readonly roundTrips: () => number;
  readonly close: () => void;
}

/** Counts the requests of all connections together. A terminate message does not count because it has no answer. */
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
