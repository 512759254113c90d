import { Option, type Command } from 'commander';
import type { DoctorOptions } from '../doctor/doctor.ts';
import type { CommandContext } from './command-context.ts';
import { parseTimeout, requireOption } from './option-values.ts';

/** Adds `cdc manage-migrations doctor`. */
export function addDoctor(migrations: Command, { setExitCode }: CommandContext): void {
  const command = migrations
    .command('doctor')
    .description(
      'Checks everything that an environment needs: configuration, generated files, variables, sources, targets. ' +
        'Prints problems and how to fix them. Changes nothing.',
    )
    .option('--env <name>', 'environment of the sources and the sinks')
    .option('--sink <name...>', 'only these sinks (<group>.<database>)')
    .addOption(
      new Option('--timeout <seconds>', 'timeout of each source')
        .default(60_000, '60')
        .argParser(parseTimeout),
    )
    .option('--json', 'print one JSON document on standard output, and messages on standard error')
    .action(async (options: Omit<DoctorOptions, 'root'>) => {
      const { doctor } = await import('../doctor/doctor.ts');
      setExitCode(await doctor({ ...options, ...migrations.opts<{ root?: string }>() }));
    });
  requireOption(command, 'env', 'an environment of sink-groups.yaml, or embedded');
}
