import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connectPostgresSocket } from './connect-socket.ts';

let server: Server;
let peers: Socket[];
let answer: (socket: Socket) => void;

beforeAll(async () => {
  server = createServer((socket) => {
    peers.push(socket);
    socket.on('error', () => undefined);
    answer(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  peers = [];
});
afterEach(() => peers.forEach((socket) => socket.destroy()));
afterAll(() => new Promise((resolve) => server.close(resolve)));

function connect(options: { readonly encrypt: boolean; readonly signal?: AbortSignal }) {
  const { port } = server.address() as AddressInfo;
  return connectPostgresSocket({ host: '127.0.0.1', port }, { timeoutMs: 2000, ...options });
}

/** Destroys a socket and ignores the error that reports its end. */
function leave(socket: Socket): void {
  socket.on('error', () => undefined);
  socket.destroy();
}

async function codeOf(socket: Socket): Promise<unknown> {
  const [error] = await once(socket, 'error');
  return (error as NodeJS.ErrnoException).code;
}

it.each<[string, string | undefined, (socket: Socket) => void]>([
  ['does not support TLS', 'NO_TLS', (socket) => socket.write('N')],
  ['sends clear text after it accepts TLS', 'EPROTO', (socket) => socket.write('SE')],
  ['sends an unknown answer', 'EPROTO', (socket) => socket.write('E')],
  ['closes the connection', 'ECONNRESET', (socket) => socket.end()],
])('disconnects from a server that %s, with code %s', async (_what, code, does) => {
  answer = does;
  expect(await codeOf(await connect({ encrypt: true }))).toBe(code);
});

it('stays connected to a server that accepts TLS', async () => {
  answer = (socket) => socket.write('S');
  const socket = await connect({ encrypt: true });
  const [data] = await once(socket, 'data');
  expect([String(data), socket.destroyed]).toEqual(['S', false]);
  leave(socket);
});

it('without TLS, returns the first byte of the server unchanged', async () => {
  answer = (socket) => socket.write('N');
  const socket = await connect({ encrypt: false });
  const [data] = await once(socket, 'data');
  expect([String(data), socket.destroyed]).toEqual(['N', false]);
  leave(socket);
});

it('reports a refused connection and an aborted attempt', async () => {
  answer = () => undefined;
  const closed = { host: '127.0.0.1', port: 1 };
  await expect(
    connectPostgresSocket(closed, { timeoutMs: 2000, encrypt: false }),
  ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(connect({ encrypt: false, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'CONNECT_TIMEOUT',
  });
});
