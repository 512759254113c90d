import { Option, type Command } from 'commander';
import type { ApplyCommandOptions } from '../apply/apply.ts';
import type { CommandContext } from './command-context.ts';
import { parseCount, parseDuration } from '../target/parse-duration.ts';
import { addTargetOptions, formatOption } from './target-options.ts';

/** Adds `cdc manage-migrations apply`. */
export function addApply(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('apply')
    .description(
      'Applies pending, outdated and failed files to targets. Applies and records each file in one transaction.',
    );
  addTargetOptions(command)
    .addOption(formatOption())
    .addOption(
      new Option(
        '--jobs <n>',
        'number of schemas in parallel (default: jobs of the wave, else 4)',
      ).argParser(parseCount(1)),
    )
    .option('--wave <name...>', 'apply only these waves of sink-groups.yaml')
    .addOption(
      new Option(
        '--plan-out <file>',
        'write a plan with classes, locks and estimates to this file, and change no target',
      ).conflicts(['dryRun', 'check', 'plan']),
    )
    .addOption(
      new Option(
        '--plan <file>',
        'apply only this plan from --plan-out, and skip schemas that have changed since',
      ).conflicts(['dryRun', 'check', 'again', 'allowRewrite', 'allowOlder', 'canary']),
    )
    .addOption(
      new Option(
        '--canary <n>',
        'apply to N schemas first, then to the rest if all succeed',
      ).argParser(parseCount(1)),
    )
    .option('--dry-run', 'print one SQL script for psql, and change nothing')
    .addOption(
      new Option('--on-error <what>', 'when a schema fails: continue with the others, or stop')
        .choices(['continue', 'stop'])
        .default('continue'),
    )
    .addOption(
      new Option(
        '--lock-timeout <time>',
        'how long to wait for another apply, such as 500ms, 30s, 2m or 0',
      )
        .default(10_000, '10s')
        .argParser(parseDuration),
    )
    .option(
      '--again',
      'also apply files that are applied already, to repair the drift that `check` finds',
    )
    .option('--check', 'apply nothing, and compare the structure as `check` does')
    .option('--allow-rewrite', 'allow type changes that rewrite large tables')
    .option(
      '--allow-older',
      'allow an older cdc-management.sql to replace a newer one in the target',
    )
    .action(async (given: Omit<ApplyCommandOptions, 'root'> & { readonly check?: boolean }) => {
      const options = { ...given, ...migrations.opts<{ root?: string }>() };
      if (options.check) {
        const { check } = await import('../check/check.ts');
        return setExitCode(await check(options));
      }
      const { apply } = await import('../apply/apply.ts');
      setExitCode(await apply(options));
    });
}
