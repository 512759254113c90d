import type { Command } from 'commander';
import { requireOption } from './option-values.ts';

/** Adds the options of all commands that work on targets. */
export function addTargetOptions(
  command: Command,
  { json = true }: { readonly json?: boolean } = {},
): Command {
  command
    .option(
      '--env <name>',
      'environment of the sinks; "embedded" is a PostgreSQL that comes along, with all tenants',
    )
    .option('--sink <name...>', 'only these sinks, by <group>.<database>')
    .option('--schema <glob...>', 'only these schemas; * is any text, ? any letter');
  if (json)
    command.option('--json', 'one JSON document on standard output, all else on standard error');
  return requireOption(command, 'env', 'an environment of sink-groups.yaml, or embedded');
}
