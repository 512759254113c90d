import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../../..');
const CDC = join(ROOT, 'packages/cli/bin/cdc.js');

/** Lines of the terminal session. */
const lines = [
  ...readFileSync(join(ROOT, 'docs/pictures/terminal.svg'), 'utf8').matchAll(
    /<text[^>]*>(.*)<\/text>/g,
  ),
].map(([, text]) =>
  text!
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&'),
);
const commands = lines.filter((line) => line.startsWith('$ cdc ')).map((line) => line.slice(6));

const cdc = (words: readonly string[]) =>
  spawnSync(process.execPath, [CDC, ...words], {
    cwd: join(ROOT, 'fixtures/adopus'),
    encoding: 'utf8',
  });

it('the terminal session shows what explain prints; npm run pictures makes it again', () => {
  const [command] = commands;
  expect(command).toMatch(/^explain /);
  const { stdout } = cdc(command!.split(' '));
  expect(lines.slice(1, lines.indexOf(''))).toEqual(stdout.trimEnd().split('\n'));
});

it.each(commands)('the options of cdc %s are those of its help', (command) => {
  const [name, ...words] = command.split(' ');
  const { stdout, status } = cdc([name!, '--help']);
  expect(status).toBe(0);
  for (const option of words.filter((word) => word.startsWith('--')))
    expect(stdout).toContain(option);
});

it('the README shows pictures that are there', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const pictures = [...readme.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, path]) => path!);
  expect(pictures).toHaveLength(2);
  for (const path of pictures) expect(existsSync(join(ROOT, path))).toBe(true);
});
