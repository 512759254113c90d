import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startRemoteCache, TOKENS, type RemoteCache } from './remote-cache.fixture.ts';
import { createWorkspace, type Workspace } from './workspace.fixture.ts';

/** Two clones of a workspace in different folders that share a cache. */
describe('a remote cache', () => {
  let cache: RemoteCache;
  let workspaces: Workspace[];
  const clone = () => {
    const workspace = createWorkspace();
    workspaces.push(workspace);
    return workspace;
  };
  const using = (token: string, url = cache.url) => ({
    NX_SELF_HOSTED_REMOTE_CACHE_SERVER: url,
    NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: token,
  });

  beforeAll(async () => {
    cache = await startRemoteCache();
    workspaces = [];
  });
  afterAll(async () => {
    for (const workspace of workspaces) workspace.remove();
    await cache.close();
  });

  it('stores no outputs of a run with a read-only token', async () => {
    const run = await clone().runConcurrently(using(TOKENS.reading));
    expect(run).toMatchObject({ code: 0, statuses: Array(6).fill('cache-miss') });
    expect(cache.takeAnswers()).toEqual([...Array(6).fill('GET 404'), ...Array(6).fill('PUT 403')]);
    expect(cache.stored.size).toBe(0);
  });

  it('gives a second clone all outputs of the first, even with a read-only token', async () => {
    const first = clone();
    const second = clone();
    const built = await first.runConcurrently(using(TOKENS.writing));
    expect(built).toMatchObject({ code: 0, statuses: Array(6).fill('cache-miss') });
    expect(cache.stored.size).toBe(6);
    cache.takeAnswers();
    const taken = await second.runConcurrently(using(TOKENS.reading));
    expect(taken).toMatchObject({ code: 0, statuses: Array(6).fill('remote-cache-hit') });
    expect(cache.takeAnswers()).toEqual(Array(6).fill('GET 200'));
    expect(second.outputs()).toEqual(first.outputs());
  });

  it('fails a run with an unknown token before any target is built', async () => {
    const run = await clone().runConcurrently(using('unknown'));
    expect(run).toMatchObject({ code: 1, statuses: [] });
    expect(run.printed).toContain('status 401');
  });

  it('fails a run if it is unreachable, unless NX_SKIP_REMOTE_CACHE is set', async () => {
    const workspace = clone();
    const run = await workspace.runConcurrently(using(TOKENS.writing, await deadUrl()));
    expect(run).toMatchObject({ code: 1, statuses: [] });
    expect(run.printed).toContain('Failed to send request');
    const env = { ...using(TOKENS.writing, await deadUrl()), NX_SKIP_REMOTE_CACHE: 'true' };
    const without = await workspace.runConcurrently(env);
    expect(without).toMatchObject({ code: 0, statuses: Array(6).fill('cache-miss') });
  });

  it('is skipped by the CI script of the README if it refuses the token or does not answer', async () => {
    const unresponsive = createServer(() => undefined);
    await new Promise<void>((resolve) => unresponsive.listen(0, '127.0.0.1', resolve));
    const unresponsiveUrl = `http://127.0.0.1:${(unresponsive.address() as AddressInfo).port}`;
    expect(await ask(using(TOKENS.reading))).toBe('');
    for (const env of [using('unknown'), using(TOKENS.reading, await deadUrl())]) {
      expect(await ask(env)).toBe('NX_SKIP_REMOTE_CACHE=true\n');
    }
    expect(await ask(using(TOKENS.reading, unresponsiveUrl))).toBe('NX_SKIP_REMOTE_CACHE=true\n');
    unresponsive.closeAllConnections();
    unresponsive.close();
  });

  async function deadUrl(): Promise<string> {
    const dead = await startRemoteCache();
    await dead.close();
    return dead.url;
  }

  /** Returns the variables that the script of the README sets for later steps. */
  async function ask(env: Readonly<Record<string, string>>): Promise<string> {
    const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
    const [, script] = /^```sh\n([^`]*GITHUB_ENV[^`]*)```$/m.exec(readme)!;
    const folder = mkdtempSync(join(tmpdir(), 'cdc-ci-'));
    const file = join(folder, 'env');
    writeFileSync(file, '');
    await promisify(execFile)('sh', ['-e', '-c', script!], {
      env: { ...env, GITHUB_ENV: file, PATH: process.env['PATH'] },
    });
    const text = readFileSync(file, 'utf8');
    rmSync(folder, { recursive: true });
    return text;
  }
});
