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
  ['has no TLS', 'NO_TLS', (socket) => socket.write('N')],
  ['answers with clear text behind its consent', 'EPROTO', (socket) => socket.write('SE')],
  ['answers with something else', 'EPROTO', (socket) => socket.write('E')],
  ['hangs up', 'ECONNRESET', (socket) => socket.end()],
])('a server that %s is left with %s', async (_what, code, does) => {
  answer = does;
  expect(await codeOf(await connect({ encrypt: true }))).toBe(code);
});

it('a server that agrees on TLS is kept', async () => {
  answer = (socket) => socket.write('S');
  const socket = await connect({ encrypt: true });
  const [data] = await once(socket, 'data');
  expect([String(data), socket.destroyed]).toEqual(['S', false]);
  leave(socket);
});

it('without TLS, the first byte is the answer of the server, whatever it is', async () => {
  answer = (socket) => socket.write('N');
  const socket = await connect({ encrypt: false });
  const [data] = await once(socket, 'data');
  expect([String(data), socket.destroyed]).toEqual(['N', false]);
  leave(socket);
});

it('a closed port is refused, and an abort or the time ends the attempt', async () => {
  answer = () => undefined;
  const closed = { host: '127.0.0.1', port: 1 };
  await expect(
    connectPostgresSocket(closed, { timeoutMs: 2000, encrypt: false }),
  ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(connect({ encrypt: false, signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'CONNECT_TIMEOUT',
  });
});
