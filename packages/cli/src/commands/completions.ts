import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from '../completions/shell.ts';

/** Adds `cdc completions`. */
export function addCompletions(program: Command, shortFormOf: string): void {
  program
    .command('completions')
    .description('Prints a script that completes commands and options in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { printCompletions } = await import('../completions/completions.ts');
      printCompletions(program, shell, shortFormOf);
    });
}
