import { InvalidArgumentError, type Command } from 'commander';

/** Parses the names of `a,b` or of a repeated option. */
export function parseList(value: string, before: readonly string[] = []): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('expected names separated by commas');
  return [...before, ...names];
}

/** Converts a number of seconds to milliseconds. */
export function parseTimeout(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0) || seconds > 86_400)
    throw new InvalidArgumentError('expected a number of seconds');
  return seconds * 1000;
}

/** Parses a whole number of days, from 1. */
export function parseDays(value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new InvalidArgumentError('expected a number of days');
  return Number(value);
}

/**
 * Rejects a command line without an option and names its values. Commander would report a missing mandatory option
 * before an unknown one, which often is the same option with a typing error.
 */
export function requireOption(command: Command, name: string, values: string): Command {
  return command.hook('preAction', (_, called) => {
    if (called.getOptionValue(name) === undefined) {
      called.error(`error: required option '--${name}' not specified; expected ${values}`);
    }
  });
}
