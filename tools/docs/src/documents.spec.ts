import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

it('the documents say what the code says; npm run docs brings them up to date', () => {
  const main = join(__dirname, '../dist/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, '--check'], {
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
});
