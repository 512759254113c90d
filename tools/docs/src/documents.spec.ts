import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

it('the documents match the code; npm run docs updates them', () => {
  const main = join(__dirname, '../dist/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--check'], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
