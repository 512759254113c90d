import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Help of `cdc manage-migrations` and each of its commands; the command line must be built. */
export function renderHelp(root: string): string {
  const summary = help(root, []);
  const commands = summary.slice(summary.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+) /gm);
  const names = [...commands].map(([, name]) => name!).filter((name) => name !== 'help');
  return [summary, ...names.map((name) => help(root, [name]))]
    .map((text) => `\`\`\`text\n${text.trim()}\n\`\`\``)
    .join('\n\n');
}

function help(root: string, command: readonly string[]): string {
  return execFileSync(
    process.execPath,
    [join(root, 'packages/cli/bin/cdc.js'), 'manage-migrations', ...command, '--help'],
    { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
}
