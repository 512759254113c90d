import type { Command } from 'commander';
import { completionModel } from './completion-model.ts';
import { renderBash } from './render-bash.ts';
import { renderFish } from './render-fish.ts';
import { renderZsh } from './render-zsh.ts';
import type { Shell } from './shell.ts';
import { printScript } from '../print.ts';

const RENDER = { bash: renderBash, fish: renderFish, zsh: renderZsh } as const;

/** Prints the script that makes a shell complete the commands of a program. */
export function printCompletions(program: Command, shell: Shell): void {
  printScript(RENDER[shell](completionModel(program)));
}
