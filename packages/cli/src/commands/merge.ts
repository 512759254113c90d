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
      'Merges staged events of targets into their final tables. Merges one batch of each table in turn. Several merge commands can run in parallel and share the work.',
    );
  addTargetOptions(command)
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .addOption(
      new Option('--jobs <n>', 'number of parallel sessions per target')
        .default(4)
        .argParser(parseCount(1)),
    )
    .option(
      '--watch',
      'run until SIGINT or SIGTERM, then finish the current batches; reconnect after lost connections',
    )
    .addOption(
      new Option('--interval <time>', 'with --watch: polling interval, such as 500ms, 5s or 1m')
        .default(1000, '1s')
        .argParser(parsePositiveDuration),
    )
    .option(
      '--replay-dead-letters',
      'first merge dead letters and refused events again; if some fail again, keep them with the new reason, and end with exit code 1',
    )
    .action(async (options: Omit<MergeCommandOptions, 'root'>) => {
      const { merge } = await import('../merge/merge.ts');
      setExitCode(await merge({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
