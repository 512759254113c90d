import { InvalidArgumentError, type Command } from 'commander';

/** The names of `a,b` or of an option that is given several times. */
export function parseList(value: string, before: readonly string[] = []): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('expected names with commas between them');
  return [...before, ...names];
}

/** Milliseconds of a number of seconds. */
export function parseTimeout(value: string): number {
  const seconds = Number(value);
  if (!(seconds > 0) || seconds > 86_400)
    throw new InvalidArgumentError('expected a number of seconds');
  return seconds * 1000;
}

/** A whole number of days, from 1. */
export function parseDays(value: string): number {
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new InvalidArgumentError('expected a number of days');
  return Number(value);
}

/**
 * Refuses a command line without an option, and names its values. A mandatory option of commander would be missed before
 * an unknown one is found, which often is the same one with a typing error.
 */
export function requireOption(command: Command, name: string, values: string): Command {
  return command.hook('preAction', (_, called) => {
    if (called.getOptionValue(name) === undefined) {
      called.error(`error: required option '--${name}' not specified; expected ${values}`);
    }
  });
}
