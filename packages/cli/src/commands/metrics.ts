import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ListenAddress, MetricsCommandOptions } from '../metrics/metrics.ts';
import type { CommandContext } from './command-context.ts';
import { parsePositiveDuration } from '../target/parse-duration.ts';
import { addTargetOptions } from './target-options.ts';

/** Adds `cdc manage-migrations metrics` and `cdc manage-migrations monitoring`. */
export function addMetrics(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('metrics')
    .description(
      'Prints metrics of targets as OpenMetrics text: lag, waiting events, failing merges, dead letters, possible loss, files by state, drift.',
    );
  addTargetOptions(command, { json: false })
    .addOption(
      new Option('--by <detail>', 'one series for each schema, or for each table')
        .choices(['schema', 'table'])
        .default('schema'),
    )
    .addOption(
      new Option(
        '--listen <address>',
        'serve /metrics and /healthz on [<host>:]<port> until SIGINT or SIGTERM; default host: 127.0.0.1',
      ).argParser(parseListen),
    )
    .addOption(
      new Option(
        '--drift [interval]',
        'also count the differences that check finds; with --listen, in the background and at most once per interval (30s, 2m, 1h)',
      )
        .preset('1h')
        .argParser(parsePositiveDuration),
    )
    .option(
      '--exclude <glob...>',
      'ignore objects whose <schema>.<name> matches one of these globs',
    )
    .action(async (options: Omit<MetricsCommandOptions, 'root'>) => {
      const { metrics } = await import('../metrics/metrics.ts');
      setExitCode(await metrics({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  const monitoring = migrations
    .command('monitoring')
    .description('Prints alert rules or a dashboard for the metrics.');
  monitoring
    .command('alerts')
    .description('Prints alert rules for Prometheus as YAML.')
    .action(async () => {
      const { renderAlerts } = await import('../metrics/render-monitoring.ts');
      const { printScript } = await import('../print.ts');
      printScript(renderAlerts());
    });
  monitoring
    .command('dashboard')
    .description('Prints a dashboard for Grafana as JSON.')
    .action(async () => {
      const { renderDashboard } = await import('../metrics/render-monitoring.ts');
      const { printScript } = await import('../print.ts');
      printScript(renderDashboard());
    });
}

/** Parses `9187`, `0.0.0.0:9187` or `[::1]:9187`. */
function parseListen(text: string): ListenAddress {
  const [, host = '127.0.0.1', digits] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535)
    throw new InvalidArgumentError('expected <port> or <host>:<port>');
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}
