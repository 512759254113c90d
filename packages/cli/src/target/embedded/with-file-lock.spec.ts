import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder } from '../../repo.fixture.ts';
import { markOf } from './process-mark.ts';
import { withFileLock } from './with-file-lock.ts';

it('times out if a running process holds the lock, and reports the process', async () => {
  const file = join(emptyFolder(), 'lock');
  writeFileSync(file, markOf(process.pid));
  await expect(withFileLock(file, () => Promise.resolve(), 200)).rejects.toMatchObject({
    exitCode: 4,
    message: `${file}: process ${process.pid} has locked the file for 0.2 s; wait until it ends, or end it`,
  });
});
