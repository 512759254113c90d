import { Option, type Command } from 'commander';
import type { VerifyOptions } from '../verify/verify.ts';
import { parseCount, parseDuration } from '../target/parse-duration.ts';
import type { CommandContext } from './command-context.ts';
import { parseList, parseTimeout } from './option-values.ts';
import { addTargetOptions } from './target-options.ts';

/** Adds `cdc manage-migrations verify`. */
export function addVerify(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('verify')
    .description(
      'Compares the rows of source and target, and lists missing, extra and different rows. Ends with exit code 1 if there are any. Changes nothing.',
    );
  addTargetOptions(command)
    .option('--table <name...>', 'only these tables (<Table> or <schema>.<Table>)')
    .addOption(
      new Option(
        '--customer <a,b>',
        'only rows of these customers; for a db-shared source: values of the customer_id column',
      ).argParser(parseList),
    )
    .addOption(
      new Option('--sample <n>', 'compare a random sample of about N rows per table').argParser(
        parseCount(1),
      ),
    )
    .addOption(new Option('--full', 'compare all rows (default)').conflicts('sample'))
    .addOption(
      new Option('--limit <n>', 'maximum number of listed differences per table')
        .default(1000)
        .argParser(parseCount(1)),
    )
    .addOption(
      new Option('--wait <duration>', 'how long to recheck rows that differ')
        .default(10_000, '10s')
        .argParser(parseDuration),
    )
    .addOption(
      new Option('--timeout <seconds>', 'timeout for connecting to the source, and for each query')
        .default(3_600_000, '3600')
        .argParser(parseTimeout),
    )
    .option(
      '--out <file>',
      'write each row that differs to this file, as a line of JSON with key, position and columns',
    )
    .action(async (options: Omit<VerifyOptions, 'root'>) => {
      const { verify } = await import('../verify/verify.ts');
      setExitCode(await verify({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
}
