import type { Command } from 'commander';
import { completionModel, type CompletedCommand } from './completion-model.ts';
import { renderBash } from './render-bash.ts';
import { renderFish } from './render-fish.ts';
import { renderZsh } from './render-zsh.ts';
import type { Shell } from './shell.ts';
import { printScript } from '../print.ts';

const RENDER = { bash: renderBash, fish: renderFish, zsh: renderZsh } as const;

/**
 * Prints the script that makes a shell complete the commands of a program.
 *
 * @param shortFormOf Group of commands whose name may be left out.
 */
export function printCompletions(program: Command, shell: Shell, shortFormOf: string): void {
  printScript(RENDER[shell](withShortForms(completionModel(program), shortFormOf)));
}

function withShortForms(
  [program, ...others]: readonly CompletedCommand[],
  group: string,
): readonly CompletedCommand[] {
  const own = new Set(program!.subcommands.map(({ word }) => word));
  const short = others
    .filter(({ path }) => path.startsWith(`${group} `))
    .map((command) => ({ ...command, path: command.path.slice(group.length + 1) }))
    .filter(({ path }) => !own.has(path));
  const words = others
    .find(({ path }) => path === group)!
    .subcommands.filter(({ word }) => !own.has(word));
  return [{ ...program!, subcommands: [...program!.subcommands, ...words] }, ...others, ...short];
}
