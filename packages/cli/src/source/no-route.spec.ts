import { spawnSync } from 'node:child_process';
import { BIN } from '../cdc.fixture.ts';
import { copyAdopus } from '../target/cli.fixture.ts';

const HOST = '192.0.2.7';
/** Runs a command in a separate network namespace, which has no route to the host. */
const ALONE = [
  '--map-root-user',
  '--net',
  'sh',
  '-c',
  `ip link set lo up && ip route add unreachable ${HOST} && exec "$@"`,
  'sh',
];
const PROBE = spawnSync('unshare', [...ALONE, 'true']);
const isPossible = PROBE.status === 0;
if (!isPossible) process.stderr.write('skipped: no route to a host: needs ip and unshare --net\n');

(isPossible ? it : it.skip)(
  'reports that there is no route to the hosts of a source and a target',
  () => {
    const { root, remove } = copyAdopus();
    const run = (...args: readonly string[]) => {
      const { status, stderr } = spawnSync(
        'unshare',
        [...ALONE, process.execPath, BIN, 'manage-migrations', ...args],
        { cwd: root, encoding: 'utf8', env: { PATH: process.env['PATH'], ...variables() } },
      );
      return { status, stderr };
    };
    expect(run('schema-docs', '--env', 'nonprod', '--customer', 'avansas')).toEqual({
      status: 2,
      stderr: expect.stringContaining(
        `\nAdOpusTest on ${HOST}:1433: no route to host; check the network, the VPN and the firewall\n`,
      ),
    });
    expect(run('status', '--env', 'nonprod')).toEqual({
      status: 2,
      stderr: expect.stringContaining(': no route to host (EHOSTUNREACH)\n'),
    });
    remove();
  },
);

function variables(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    ['MSSQL_NONPROD', 'POSTGRES_NONPROD'].flatMap((prefix) => [
      [`${prefix}_HOST`, HOST],
      [`${prefix}_PORT`, '1433'],
      [`${prefix}_USER`, 'cdc'],
      [`${prefix}_PASSWORD`, 'secret'],
    ]),
  );
}
