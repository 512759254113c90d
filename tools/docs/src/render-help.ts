import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { code } from './markdown-table.ts';

const MIGRATIONS = 'manage-migrations';

/** Commands that are to come. */
const PLANNED = [
  'schema-docs',
  'diff',
  'apply',
  'status',
  'check',
  'merge',
  'enable-cdc',
  'clean-cdc',
  'types',
];

/** Help of `cdc manage-migrations` and each of its commands, and of those beside it; it must be built. */
export function renderHelp(root: string): string {
  const summary = help(root, [MIGRATIONS]);
  const others = namesOf(help(root, [])).filter((name) => name !== MIGRATIONS);
  return [
    summary,
    ...namesOf(summary).map((name) => help(root, [MIGRATIONS, name])),
    ...others.map((name) => help(root, [name])),
  ]
    .map((text) => `\`\`\`text\n${text.trim()}\n\`\`\``)
    .join('\n\n');
}

/** The commands that are not there yet. */
export function renderMissingCommands(root: string): string {
  const names = namesOf(help(root, [MIGRATIONS]));
  const missing = PLANNED.filter((name) => !names.includes(name));
  return missing.length === 0 ? '' : `Not there yet: ${missing.map(code).join(', ')}.`;
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
