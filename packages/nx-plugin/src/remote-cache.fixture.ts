import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server of Nx's protocol for self-hosted caches: GET and PUT of `/v1/cache/<hash>`. */
export interface RemoteCache {
  readonly url: string;
  /** Stored content by hash. */
  readonly stored: ReadonlyMap<string, Buffer>;
  /** Returns the status codes of the answers since the last call, by method, for example `GET 200`. */
  takeAnswers(): readonly string[];
  close(): Promise<void>;
}

/** Tokens by permission. */
export const TOKENS = { writing: 'may-write', reading: 'may-read' } as const;

export async function startRemoteCache(): Promise<RemoteCache> {
  const stored = new Map<string, Buffer>();
  let answers: string[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, stored).then((status) => {
      answers.push(`${request.method} ${status}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stored,
    takeAnswers: () => {
      const taken = answers;
      answers = [];
      return taken.sort();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  stored: Map<string, Buffer>,
): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { status, body } = decide(request, Buffer.concat(chunks), stored);
  // Nx shows the reason of a 401 and expects it as text.
  const type = body ? 'application/octet-stream' : 'text/plain';
  response.writeHead(status, { 'content-type': type }).end(body ?? `status ${status}`);
  return status;
}

function decide(
  { method, url = '', headers }: IncomingMessage,
  content: Buffer,
  stored: Map<string, Buffer>,
): { readonly status: number; readonly body?: Buffer } {
  const [, hash] = /^\/v1\/cache\/(\w+)$/.exec(url) ?? [];
  const token = headers.authorization?.replace(/^Bearer /, '');
  if (token !== TOKENS.writing && token !== TOKENS.reading) return { status: 401 };
  if (hash === undefined) return { status: 404 };
  const body = stored.get(hash);
  if (method === 'GET') return body ? { status: 200, body } : { status: 404 };
  if (token !== TOKENS.writing) return { status: 403 };
  if (body) return { status: 409 };
  stored.set(hash, content);
  return { status: 202 };
}
