import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  buildStatus,
  readConcerns,
  readTableHealth,
  readTarget,
  type FileState,
  type Status,
} from '@cdc-migrations/tracker';
import { standardError, type ProgressOutput } from '../apply/progress.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { untilSignal } from '../merge/until-signal.ts';
import { printMessage, printScript } from '../print.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { withSession } from '../target/report-targets.ts';
import { selectTargets } from '../target/select-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import type { TargetHealth } from './metric-table.ts';
import { renderMetrics, type Detail, type MetricsText } from './render-metrics.ts';

/** Address of the HTTP server. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

export interface MetricsCommandOptions extends TargetOptions {
  readonly by?: Detail;
  readonly listen?: ListenAddress;
}

/** Metrics of all targets, read once. */
interface Collected extends MetricsText {
  readonly areUp: boolean;
}

/**
 * Prints the metrics of the targets of an environment, or serves them over HTTP until a signal ends it. Returns the exit
 * code: 3 when a target did not answer.
 */
export async function metrics({
  by = 'schema',
  ...options
}: MetricsCommandOptions): Promise<number> {
  const work = async ({ targets }: { readonly targets: readonly CommandTarget[] }) => {
    const selected = selectTargets(targets, options.schema);
    const collect = () => collectMetrics(selected, options, by);
    if (options.listen) return serve(options.listen, collect, standardError(process.env));
    const { text, areUp } = await collect();
    printScript(text);
    return areUp ? EXIT.done : EXIT.tenantsFailed;
  };
  return withTargets(options, work, { endsOnSignal: options.listen !== undefined });
}

async function collectMetrics(
  targets: readonly CommandTarget[],
  options: TargetOptions,
  by: Detail,
): Promise<Collected> {
  const healths = await Promise.all(targets.map((target) => askHealth(target, options)));
  return { ...(await renderMetrics(healths, by)), areUp: healths.every(({ isUp }) => isUp) };
}

/** The health of a target; the reason why it could not be asked goes to standard error. */
async function askHealth(target: CommandTarget, { schema }: TargetOptions): Promise<TargetHealth> {
  const { label, migrations, tenants } = target;
  try {
    const [state, tables, { refusedEvents }] = await withSession(target, 'cdc metrics', (session) =>
      Promise.all([
        readTarget(session, migrations),
        readTableHealth(session),
        readConcerns(session),
      ]),
    );
    const status = buildStatus(migrations, state, { tenants, only: schema });
    const shown = new Set(status.schemas.map((one) => one.schema));
    return {
      target: label,
      isUp: true,
      files: countFiles(status),
      tables: (tables ?? []).filter((table) => !schema || shown.has(table.schema)),
      refusedWithoutTable: refusedEvents
        .filter(({ table }) => table === null)
        .reduce((sum, { count }) => sum + count, 0),
    };
  } catch (error) {
    const located = locateTargetError(error, label, target.place);
    if (!(located instanceof CommandError)) throw located;
    printMessage(located.message);
    return { target: label, isUp: false, files: {}, tables: [], refusedWithoutTable: 0 };
  }
}

function countFiles({ schemas }: Status): Readonly<Partial<Record<FileState, number>>> {
  const counts: Partial<Record<FileState, number>> = {};
  for (const { state } of schemas.flatMap(({ files }) => files)) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Serves `/metrics` and `/healthz`; requests that come at once are answered by one look at the targets. */
async function serve(
  { host, port }: ListenAddress,
  collect: () => Promise<Collected>,
  progress: ProgressOutput,
): Promise<number> {
  let current: Promise<Collected> | undefined;
  const collectOnce = () => (current ??= collect().finally(() => (current = undefined)));
  const server = createServer((request, response) => {
    const end = (status: number, text: string, contentType = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': contentType }).end(text);
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void end(405, 'expected GET\n');
    if (pathname !== '/metrics' && pathname !== '/healthz') {
      return void end(404, 'expected /metrics or /healthz\n');
    }
    collectOnce().then(
      ({ contentType, text, areUp }) =>
        pathname === '/metrics'
          ? end(200, text, contentType)
          : end(areUp ? 200 : 503, areUp ? 'ok\n' : 'a target does not answer\n'),
      (error: unknown) => {
        printMessage(String(error));
        end(500, 'the metrics could not be read\n');
      },
    );
  });
  await listen(server, { host, port });
  const { address, family, port: bound } = server.address() as AddressInfo;
  const place = family === 'IPv6' ? `[${address}]` : address;
  progress.write(`listening on http://${place}:${bound}/metrics\n`);
  await untilSignal(progress, untilAborted, 'stopping');
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  return EXIT.done;
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(new CommandError(`--listen ${host}:${port}: ${message}`)),
    );
    server.listen(port, host, resolve);
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
}
