import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { code, markdownTable } from './markdown-table.ts';

/** Returns the help of a command by its words after `cdc`. Each command runs once. */
export type Help = (command: readonly string[]) => string;

/** Asks the command line, which must be built. */
export function openHelp(root: string): Help {
  const asked = new Map<string, string>();
  return (command) => {
    const key = command.join(' ');
    const text =
      asked.get(key) ??
      execFileSync(
        process.execPath,
        [join(root, 'packages/cli/bin/cdc.js'), ...command, '--help'],
        { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
      );
    asked.set(key, text);
    return text;
  };
}

/** Renders the help of a command as a block of text: `manage-migrations diff`. */
export function renderHelp(help: Help, command: string): string {
  return `\`\`\`text\n${help(command.split(' ')).trim()}\n\`\`\``;
}

/** Renders each command and the first sentence of its help. */
export function renderCommands(help: Help): string {
  const rows = GROUPS.flatMap((group) => subcommands(help, group ? [group] : []))
    .filter((name) => !GROUPS.includes(name.join(' ')))
    .map((name) => {
      const [usage = '', description = ''] = help(name).split('\n\n');
      const call = usage.replace('Usage: ', '').replace(' [options]', '').trim();
      const [sentence = ''] = description.replaceAll('\n', ' ').split(/(?<=\.) /);
      return [code(call), sentence.replace(/\.$/, '')];
    });
  return markdownTable(['command', 'does'], rows);
}

/** Groups of commands in the order of the table. The last one is `cdc` itself. */
const GROUPS = ['manage-migrations', 'manage-pipelines', ''];

/** Lists all commands, groups among them, as `manage-migrations reload begin`. */
export function listCommands(help: Help, above: readonly string[] = []): readonly string[] {
  return subcommands(help, above).flatMap((name) => [name.join(' '), ...listCommands(help, name)]);
}

function subcommands(help: Help, command: readonly string[]): readonly (readonly string[])[] {
  const [, list = ''] = help(command).split('\nCommands:\n');
  return [...list.matchAll(/^ {2}([a-z-]+) /gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help')
    .map((name) => [...command, name]);
}
