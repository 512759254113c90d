import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  buildStatus,
  checkTarget,
  listSchemas,
  readConcerns,
  readTableHealth,
  readTarget,
  type Difference,
  type FileState,
  type Status,
} from '@cdc-migrations/tracker';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import { standardError, type ProgressOutput } from '../apply/progress.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { untilSignal } from '../merge/until-signal.ts';
import { printMessage, printScript } from '../print.ts';
import { locateTargetError } from '../target/locate-target-error.ts';
import type { CommandTarget, TargetOptions } from '../target/open-targets.ts';
import { withSession } from '../target/report-targets.ts';
import { selectTargets } from '../target/select-targets.ts';
import { withTargets } from '../target/with-targets.ts';
import type { DriftHealth, TargetHealth } from './metric-table.ts';
import { renderMetrics, type Detail, type MetricsText } from './render-metrics.ts';

/** Address of the HTTP server. */
export interface ListenAddress {
  readonly host: string;
  /** 0 means any free port. */
  readonly port: number;
}

export interface MetricsCommandOptions extends TargetOptions {
  readonly by?: Detail;
  readonly listen?: ListenAddress;
  /** Interval between two drift checks in milliseconds. Undefined means no checks. */
  readonly drift?: number;
  /** Globs over `<schema>.<name>` of objects that are not drift. */
  readonly exclude?: readonly string[];
}

/** Metrics of all targets, read once. */
interface Collected extends MetricsText {
  readonly areUp: boolean;
}

/**
 * Prints the metrics of all targets of an environment, or serves them over HTTP until a signal ends it. Returns the
 * exit code: 3 if a target did not respond.
 */
export async function metrics({
  by = 'schema',
  ...options
}: MetricsCommandOptions): Promise<number> {
  if (options.exclude && options.drift === undefined)
    throw new CommandError('--exclude needs --drift; add --drift');
  const work = async ({ targets }: { readonly targets: readonly CommandTarget[] }) => {
    const selected = selectTargets(targets, options.schema);
    const readDrift = driftReader(options);
    const collect = () =>
      collectMetrics(selected, by, async (target) => {
        const health = await askHealth(target, options);
        return health.isUp ? { ...health, drift: await readDrift(target) } : health;
      });
    if (options.listen) return serve(options.listen, collect, standardError(process.env));
    const { text, areUp } = await collect();
    printScript(text);
    return areUp ? EXIT.done : EXIT.tenantsFailed;
  };
  return withTargets(options, work, { endsOnSignal: options.listen !== undefined });
}

async function collectMetrics(
  targets: readonly CommandTarget[],
  by: Detail,
  ask: (target: CommandTarget) => Promise<TargetHealth>,
): Promise<Collected> {
  const healths = await Promise.all(targets.map(ask));
  return { ...(await renderMetrics(healths, by)), areUp: healths.every(({ isUp }) => isUp) };
}

/** Reads the health of a target. Prints the reason to standard error if that fails. */
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

type DriftReader = (target: CommandTarget) => Promise<DriftHealth | undefined>;

/**
 * Reads the drift of targets: by a check, or with --listen from the last check. With --listen a scrape starts the next
 * check when it is due and never waits for it.
 */
function driftReader(options: MetricsCommandOptions): DriftReader {
  const { drift: intervalMs, listen: address } = options;
  if (intervalMs === undefined) return async () => undefined;
  if (address === undefined) return (target) => checkDrift(target, options, undefined);
  const begun = new Map<CommandTarget, number>();
  const found = new Map<CommandTarget, DriftHealth>();
  return async (target) => {
    const begunAt = begun.get(target);
    if (begunAt === undefined || performance.now() - begunAt >= intervalMs) {
      begun.set(target, Infinity);
      void checkDrift(target, options, found.get(target)).then((health) => {
        found.set(target, health);
        begun.set(target, performance.now());
      });
    }
    return found.get(target);
  };
}

/**
 * Compares the structure of a target with the definitions. Prints a failure to standard error and keeps the last
 * result.
 */
async function checkDrift(
  target: CommandTarget,
  { schema: only, exclude }: MetricsCommandOptions,
  before: DriftHealth | undefined,
): Promise<DriftHealth> {
  const { label, migrations, tenants, knownTenants } = target;
  try {
    const differences = await withSession(target, 'cdc metrics --drift', (session) =>
      checkTarget(session, migrations, { tenants, knownTenants, only, exclude }),
    );
    const schemas = [MANAGEMENT_SCHEMA, ...listSchemas(migrations, { tenants, only })];
    return {
      counts: countDrift(schemas, differences),
      checkedAt: Date.now() / 1000,
      hasFailed: false,
    };
  } catch (error) {
    const { message } = locateTargetError(error, label, target.place) as Error;
    printMessage(`check for drift: ${message}`);
    return { ...before, hasFailed: true };
  }
}

function countDrift(
  schemas: readonly string[],
  differences: readonly Difference[],
): NonNullable<DriftHealth['counts']> {
  const none = { missing: 0, different: 0, extra: 0 };
  const counts = new Map(schemas.map((schema) => [schema, { ...none }]));
  for (const { schema, kind } of differences) {
    const own = counts.get(schema) ?? { ...none };
    counts.set(schema, own);
    own[kind]++;
  }
  return counts;
}

function countFiles({ schemas }: Status): Readonly<Partial<Record<FileState, number>>> {
  const counts: Partial<Record<FileState, number>> = {};
  for (const { state } of schemas.flatMap(({ files }) => files)) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Serves `/metrics` and `/healthz`. Concurrent requests share one read of the targets. */
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
    const pathname = pathOf(request.url);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void end(405, 'expected GET\n');
    if (pathname !== '/metrics' && pathname !== '/healthz') {
      return void end(404, 'expected /metrics or /healthz\n');
    }
    collectOnce().then(
      ({ contentType, text, areUp }) =>
        pathname === '/metrics'
          ? end(200, text, contentType)
          : end(areUp ? 200 : 503, areUp ? 'ok\n' : 'a target does not respond\n'),
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

/** Path of a request; undefined for a text that is no address, which a client may send all the same. */
function pathOf(url = '/'): string | undefined {
  const base = 'http://localhost';
  return URL.canParse(url, base) ? new URL(url, base).pathname : undefined;
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
