import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import type { FinishReloadOptions, ReloadOptions } from '../reload/reload.ts';
import type { SignalOptions } from '../reload/signal.ts';
import { parseList, requireOption } from './option-values.ts';
import { addTargetOptions } from './target-options.ts';

type Options<Command> = Omit<Command, 'root'>;

/** Adds `cdc manage-migrations reload`: begin, status, finish, cancel. */
export function addReload(migrations: Command, { setExitCode }: CommandContext): void {
  const group = migrations
    .command('reload')
    .description(
      'Reads tables again while events continue to arrive. `reload begin` records which events of the tables have arrived so far. Then the connector takes a snapshot. `reload finish` removes the rows that are missing from the snapshot.',
    )
    .helpCommand('help [command]', 'show the help of a command');
  const root = () => migrations.opts<{ root?: string }>();
  const load = () => import('../reload/reload.ts');

  addSelection(
    group
      .command('begin')
      .description(
        'Records which events of the tables have arrived so far. Run it before the snapshot.',
      ),
    {
      needsTable: true,
    },
  ).action(async (options: Options<ReloadOptions>) =>
    setExitCode(await (await load()).beginReload({ ...options, ...root() })),
  );
  addSelection(
    group
      .command('signal')
      .description(
        'Prints the requests that make Debezium read tables again: a row for the signal_table of each source database.',
      ),
    { needsTable: true },
  )
    .option('--send', 'insert these rows into the signal tables')
    .addOption(
      new Option('--kafka', 'print messages for the signal topic instead: <key>|<value>').conflicts(
        'send',
      ),
    )
    .option(
      '--blocking',
      'request a blocking snapshot, which pauses events (default: a snapshot in chunks, while events continue to arrive)',
    )
    .action(async (options: Options<SignalOptions>) => {
      const { signalSnapshot } = await import('../reload/signal.ts');
      setExitCode(await signalSnapshot({ ...options, ...root() }));
    });
  addSelection(
    group
      .command('status')
      .description(
        'Lists open reloads. Counts the rows that were read again, the rows that events have changed, and the remaining rows. Ends with exit code 1 if rows remain.',
      ),
  ).action(async (options: Options<ReloadOptions>) =>
    setExitCode(await (await load()).showReloads({ ...options, ...root() })),
  );
  addSelection(
    group
      .command('finish')
      .description(
        'Removes, or marks as deleted, the rows that no event has inserted or changed since `reload begin`. Run it after all events of the snapshot are staged.',
      ),
    { needsTable: true },
  )
    .option('--dry-run', 'count the rows to remove, and change nothing')
    .addOption(
      new Option('--max-share <percent>', 'maximum percentage of rows to remove')
        .default(5)
        .argParser(parsePercent),
    )
    .option(
      '--without-reads',
      'finish although no row of a snapshot has arrived, because the source has no rows',
    )
    .option('--replayed', 'finish after a possible loss, because the lost events were replayed')
    .action(async (options: Options<FinishReloadOptions>) =>
      setExitCode(await (await load()).finishReload({ ...options, ...root() })),
    );
  addSelection(group.command('cancel').description('Ends open reloads and keeps all rows.'), {
    needsTable: true,
  }).action(async (options: Options<ReloadOptions>) =>
    setExitCode(await (await load()).cancelReload({ ...options, ...root() })),
  );
}

function addSelection(
  command: Command,
  { needsTable = false }: { readonly needsTable?: boolean } = {},
): Command {
  addTargetOptions(command)
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .addOption(
      new Option(
        '--customer <a,b>',
        'only rows of these customers; for a db-shared source: values of the customer_id column',
      ).argParser(parseList),
    );
  return needsTable ? requireOption(command, 'table', 'tables of services/') : command;
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || percent > 100)
    throw new InvalidArgumentError('expected a number from 0 to 100');
  return percent;
}
