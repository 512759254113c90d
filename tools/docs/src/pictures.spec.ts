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

it('the terminal picture shows the output of explain; npm run pictures updates it', () => {
  const [command] = commands;
  expect(command).toMatch(/^explain /);
  const { stdout } = cdc(command!.split(' '));
  expect(lines.slice(1, lines.indexOf(''))).toEqual(stdout.trimEnd().split('\n'));
});

it.each(commands)('cdc %s uses only options from its help', (command) => {
  const [name, ...words] = command.split(' ');
  const { stdout, status } = cdc([name!, '--help']);
  expect(status).toBe(0);
  for (const option of words.filter((word) => word.startsWith('--')))
    expect(stdout).toContain(option);
});

it('the README shows only existing pictures', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const pictures = [...readme.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, path]) => path!);
  expect(pictures).toHaveLength(2);
  for (const path of pictures) expect(existsSync(join(ROOT, path))).toBe(true);
});
