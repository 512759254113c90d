import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { code, markdownTable } from './markdown-table.ts';

const MIGRATIONS = 'manage-migrations';

/** Help of `cdc manage-migrations` and each of its commands, and of those beside it; it must be built. */
export function renderHelp(root: string): string {
  const texts = [help(root, [MIGRATIONS]), ...listCommands(root).map((name) => help(root, name))];
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

/** The words of each command behind `cdc`: those of `manage-migrations` first. */
function listCommands(root: string): readonly (readonly string[])[] {
  const others = namesOf(help(root, [])).filter((name) => name !== MIGRATIONS);
  return [
    ...namesOf(help(root, [MIGRATIONS])).map((name) => [MIGRATIONS, name]),
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
