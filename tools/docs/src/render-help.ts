import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { code, markdownTable } from './markdown-table.ts';

/** Commands that have commands. */
const GROUPS = ['manage-migrations', 'manage-pipelines'];

/** Help of the groups, each command in them, and those beside them; the command line must be built. */
export function renderHelp(root: string): string {
  const texts = [...GROUPS.map((group) => [group]), ...listCommands(root)].map((name) =>
    help(root, name),
  );
  return texts.map((text) => `\`\`\`text\n${text.trim()}\n\`\`\``).join('\n\n');
}

/** Each command and the first sentence of its help. */
export function renderCommands(root: string): string {
  const rows = listCommands(root).map((name) => {
    const [usage = '', description = ''] = help(root, name).split('\n\n');
    const call = usage.replace('Usage: ', '').replace(' [options]', '').trim();
    const [sentence = ''] = description.replaceAll('\n', ' ').split(/(?<=\.) /);
    return [code(call), sentence.replace(/\.$/, '')];
  });
  return markdownTable(['command', 'does'], rows);
}

/** The words of each command behind `cdc`: those of the groups first. */
function listCommands(root: string): readonly (readonly string[])[] {
  const others = namesOf(help(root, [])).filter((name) => !GROUPS.includes(name));
  return [
    ...GROUPS.flatMap((group) => namesOf(help(root, [group])).map((name) => [group, name])),
    ...others.map((name) => [name]),
  ];
}

function namesOf(summary: string): readonly string[] {
  const commands = summary.slice(summary.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+) /gm);
  return [...commands].map(([, name]) => name!).filter((name) => name !== 'help');
}

function help(root: string, command: readonly string[]): string {
  return execFileSync(
    process.execPath,
    [join(root, 'packages/cli/bin/cdc.js'), ...command, '--help'],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
}
