import { findServerUser } from './server-user.ts';

const ROOT = 'root:x:0:0:root:/root:/bin/bash\n';
const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n';

describe('the user of the bundled PostgreSQL', () => {
  it('is our own user', () => {
    expect(findServerUser(1000, () => ROOT)).toEqual({});
  });

  it('is nobody if we are root', () => {
    expect(findServerUser(0, () => ROOT + NOBODY)).toEqual({ uid: 65534, gid: 65533 });
  });

  it('is an error if we are root and nobody does not exist', () => {
    expect(() => findServerUser(0, () => ROOT)).toThrow(
      '--env embedded: PostgreSQL refuses to run as root, and the user "nobody" does not exist; run as another user',
    );
  });
});
