import { Option, type Command } from 'commander';
import { FORMATS } from '../report-lines.ts';
import { requireOption } from './option-values.ts';

/** Adds the options of all commands that work on targets. */
export function addTargetOptions(
  command: Command,
  { json = true }: { readonly json?: boolean } = {},
): Command {
  command
    .option(
      '--env <name>',
      'environment of the sinks; "embedded" is a bundled PostgreSQL with all tenants',
    )
    .option('--sink <name...>', 'only these sinks (<group>.<database>)')
    .option('--schema <glob...>', 'only these schemas; * matches any text, ? one character');
  if (json)
    command.option(
      '--json',
      'print one JSON document on standard output, and messages on standard error',
    );
  return requireOption(command, 'env', 'an environment of sink-groups.yaml, or embedded');
}

/** Builds the option that selects the output format. */
export function formatOption(formats: readonly string[] = FORMATS): Option {
  const what = formats.includes('junit')
    ? 'report format; markdown is for chats and pull requests, junit for CI'
    : 'report format; markdown is for chats and pull requests';
  return new Option('--format <format>', what).choices(formats).default('text').conflicts('json');
}
