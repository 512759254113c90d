import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy between clients and a server that pools transactions, as PgBouncer does: the last free connection first. */
export interface PoolingProxy {
  readonly port: number;
  readonly close: () => void;
}

/** 'Z', the length 5, and whether a transaction is open. */
const READY = /Z\0\0\0\u0005([IET])$/;

/** Starts it; who logs in brings a connection of his own into the pool. */
export async function startPoolingProxy(targetPort: number): Promise<PoolingProxy> {
  const free: Socket[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    let server: Socket | undefined = connect(targetPort, '127.0.0.1');
    sockets.add(client).add(server);
    let isLoggedIn = false;
    const answer = (data: Buffer) => {
      client.write(data);
      const [, state] = READY.exec(data.toString('latin1')) ?? [];
      if (state !== 'I' || !server) return;
      server.off('data', answer);
      if (isLoggedIn) free.push(server);
      else free.unshift(server);
      isLoggedIn = true;
      server = undefined;
    };
    server.on('data', answer);
    client.on('data', (data) => {
      if (data[0] === 'X'.charCodeAt(0)) return;
      if (!server) {
        server = free.pop();
        server?.on('data', answer);
      }
      server?.write(data);
    });
    client.on('error', () => {});
    server.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
