import { Option, type Command } from 'commander';
import type { MergeCommandOptions } from '../merge/merge.ts';
import type { CommandContext } from './command-context.ts';
import { parseCount, parsePositiveDuration } from '../target/parse-duration.ts';
import { addTargetOptions } from './target-options.ts';

/** Adds `cdc manage-migrations merge`. */
export function addMerge(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('merge')
    .description(
      'Merges what is staged in targets into their final tables, a batch of each table in turn; any number of these may run at once and share the work.',
    );
  addTargetOptions(command)
    .option('--table <name...>', 'only these tables, by <Table> or <schema>.<Table>')
    .addOption(
      new Option('--jobs <n>', 'sessions that merge at once in each target')
        .default(4)
        .argParser(parseCount(1)),
    )
    .option(
      '--watch',
      'go on until SIGINT or SIGTERM, which let batches end; over lost connections',
    )
    .addOption(
      new Option('--interval <time>', 'with --watch: how often to look: 500ms, 5s, 1m')
        .default(1000, '1s')
        .argParser(parsePositiveDuration),
    )
    .option(
      '--replay-dead-letters',
      'first merge the dead letters and refused events again; those that are still bad come back with their reason, exit 1',
    )
    .action(async (options: Omit<MergeCommandOptions, 'root'>) => {
      const { merge } = await import('../merge/merge.ts');
      setExitCode(await merge({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
