import type { Command } from 'commander';
import { completionModel } from './completion-model.ts';
import { renderBash } from './render-bash.ts';
import { renderFish } from './render-fish.ts';
import { renderZsh } from './render-zsh.ts';
import type { Shell } from './shell.ts';

const RENDER = { bash: renderBash, fish: renderFish, zsh: renderZsh } as const;

/** Prints the script that makes a shell complete the commands of a program. */
export function printCompletions(program: Command, shell: Shell): void {
  process.stdout.write(RENDER[shell](completionModel(program)));
}
