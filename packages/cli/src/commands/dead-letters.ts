import { InvalidArgumentError, Option, type Command } from 'commander';
import type {
  DiscardDeadLettersOptions,
  DeadLettersCommandOptions,
  ShowDeadLettersOptions,
} from '../dead-letters/dead-letters.ts';
import type { MergeCommandOptions } from '../merge/merge.ts';
import type { CommandContext } from './command-context.ts';
import { parseCount } from '../target/parse-duration.ts';
import { addTargetOptions } from './target-options.ts';

type Options<Command> = Omit<Command, 'root'>;

/** Adds `cdc manage-migrations dead-letters`: list, show, replay, discard. */
export function addDeadLetters(migrations: Command, { setExitCode }: CommandContext): void {
  const group = migrations
    .command('dead-letters')
    .description(
      'Lists, replays or discards events that did not reach a final table: dead letters, which could not be merged, and refused events, whose INSERT the target refused.',
    )
    .helpCommand('help [command]', 'show the help of a command');
  const root = () => migrations.opts<{ root?: string }>();
  const load = () => import('../dead-letters/dead-letters.ts');

  addFilter(
    group
      .command('list')
      .description('Counts events by table and reason. Ends with exit code 1 if there are any.'),
  ).action(async (options: Options<DeadLettersCommandOptions>) =>
    setExitCode(await (await load()).listDeadLetters({ ...options, ...root() })),
  );
  addFilter(
    group
      .command('show')
      .description(
        'Prints complete events, the oldest first. Ends with exit code 1 if there are any.',
      ),
  )
    .addOption(
      new Option('--limit <n>', 'maximum number of events per target')
        .default(20)
        .argParser(parseCount(1)),
    )
    .action(async (options: Options<ShowDeadLettersOptions>) =>
      setExitCode(await (await load()).showDeadLetters({ ...options, ...root() })),
    );
  addTable(
    addTargetOptions(
      group
        .command('replay')
        .description(
          'Merges events again. Run it after you have fixed the cause. Prints the reasons of events that fail again, and ends with exit code 1 if there are any. Does the same as `merge --replay-dead-letters`.',
        ),
    ),
  ).action(async (options: Options<MergeCommandOptions>) => {
    const { merge } = await import('../merge/merge.ts');
    setExitCode(await merge({ ...options, ...root(), replayDeadLetters: true }));
  });
  addFilter(
    group
      .command('discard')
      .description('Permanently deletes the events that --table, --reason or --id selects.'),
  )
    .option('--dry-run', 'print the events, and delete nothing')
    .action(async (options: Options<DiscardDeadLettersOptions>) =>
      setExitCode(await (await load()).discard({ ...options, ...root() })),
    );
}

function addFilter(command: Command): Command {
  return addTable(addTargetOptions(command))
    .addOption(
      new Option(
        '--reason <text>',
        'only events whose reason contains this text (case-insensitive)',
      ).argParser(parseReason),
    )
    .addOption(
      new Option(
        '--id <id...>',
        'only events with these ids, as list and show print them; r12 is a refused event',
      ).argParser(parseIds),
    );
}

function addTable(command: Command): Command {
  return command.option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)');
}

/** An empty text, as of a variable that is not set, would select all. */
function parseReason(text: string): string {
  if (text === '')
    throw new InvalidArgumentError('expected text that occurs in the reason of an event');
  return text;
}

function parseIds(text: string, before: readonly string[] | undefined): readonly string[] {
  if (!/^r?\d{1,18}$/.test(text))
    throw new InvalidArgumentError('expected an id such as 12 or r12');
  return [...(before ?? []), text];
}
