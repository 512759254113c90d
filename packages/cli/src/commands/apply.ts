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
      'Brings targets up to date: what is pending, outdated or failed, each file with its history in one transaction.',
    );
  addTargetOptions(command)
    .addOption(formatOption())
    .addOption(
      new Option(
        '--jobs <n>',
        'schemas that are worked on in parallel (default: jobs of the wave, else 4)',
      ).argParser(parseCount(1)),
    )
    .option('--wave <name...>', 'only these waves of sink-groups.yaml')
    .addOption(
      new Option(
        '--plan-out <file>',
        'write what would run where, with classes, locks and estimates, and change nothing',
      ).conflicts(['dryRun', 'check', 'plan']),
    )
    .addOption(
      new Option(
        '--plan <file>',
        'do only what this file of --plan-out says, where nothing has changed since',
      ).conflicts(['dryRun', 'check', 'again', 'allowRewrite', 'allowOlder', 'canary']),
    )
    .addOption(
      new Option(
        '--canary <n>',
        'so many schemas go first; the others follow when none failed',
      ).argParser(parseCount(1)),
    )
    .option('--dry-run', 'print one SQL script that psql takes, and change nothing')
    .addOption(
      new Option(
        '--on-error <what>',
        'when a schema fails: go on with the others, or begin no more',
      )
        .choices(['continue', 'stop'])
        .default('continue'),
    )
    .addOption(
      new Option('--lock-timeout <time>', 'how long another apply is waited for: 500ms, 30s, 2m, 0')
        .default(10_000, '10s')
        .argParser(parseDuration),
    )
    .option(
      '--again',
      'apply what is applied already once more: puts back what `check` finds missing or different',
    )
    .option('--check', 'apply nothing: do what `check` does')
    .option('--allow-rewrite', 'let large tables be rewritten where a type is widened')
    .option('--allow-older', 'let infrastructure be replaced that is newer than these files')
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
