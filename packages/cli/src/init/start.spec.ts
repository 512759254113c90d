import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describeDebian } from '@cdc-migrations/postgres-fixture';
import { emptyFolder } from '../repo.fixture.ts';

const WORKSPACE = join(__dirname, '../../../..');
const PAGE = readFileSync(join(WORKSPACE, 'docs/start.md'), 'utf8');

/** The shell blocks of the page with their marks, and the expected output that follows some of them. */
const STEPS = [
  ...PAGE.matchAll(
    /^(?:<!-- (example|background)\b.*-->\n\n)?```sh\n([^]*?)^```$(?:\n\n```text\n([^]*?)^```$)?/gm,
  ),
]
  .map(([, mark, commands, printed = '']) => ({ mark, commands: commands!.trimEnd(), printed }))
  .filter(({ mark }) => mark !== 'example');

const END = '=== end of step';
/** Runs the merge of the second terminal in the background. */
const IN_BACKGROUND = (commands: string) =>
  `${commands} 2>watch.log & until grep -q psql watch.log; do sleep 0.1; done`;
/** Waits for the first merged row. */
const WAIT = `DO $$ BEGIN
  WHILE NOT EXISTS (SELECT FROM first_customer."Orders") LOOP COMMIT; PERFORM pg_sleep(0.1); END LOOP;
END $$;`;

describeDebian('docs/start.md', () => {
  it('leads from an empty folder to 26 schemas and a merged event, with the output that it shows', () => {
    const cwd = emptyFolder();
    chmodSync(cwd, 0o755); // Lets the user of the server enter the folder, even if the test runs as root.
    const commands = STEPS.map(
      ({ mark, commands }) =>
        `${mark === 'background' ? IN_BACKGROUND(commands) : commands.replace(/SELECT pg_sleep\(\d+\);/, () => WAIT)}\necho '${END}'`,
    );
    const path = [
      join(WORKSPACE, 'node_modules/.bin'),
      '/usr/lib/postgresql/15/bin',
      process.env['PATH'],
    ];
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-eu', '-c', [...commands, 'kill -INT %1; wait %1'].join('\n')],
      { cwd, encoding: 'utf8', timeout: 120_000, env: { PATH: path.join(delimiter) } },
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(stderr).toContain('with psql, run: cdc merge --env embedded --watch\n');
    const printed = stdout.split(`${END}\n`);
    for (const [index, { printed: lines, commands }] of STEPS.entries()) {
      for (const line of lines.trimEnd().split('\n')) {
        expect({ commands, printed: printed[index] }).toEqual({
          commands,
          printed: expect.stringContaining(line),
        });
      }
    }
    expect(STEPS.length).toBeGreaterThan(7);
  });
});
