import { implementationRepo } from './implementation-repo.fixture.ts';
import { parseConfig } from './parse-config.ts';
import { tenantsOf } from './tenants-of.ts';

const [group] = parseConfig(implementationRepo()).sourceGroups;

it.each([
  ['prod', ['avansas', 'avprod']],
  ['nonprod', []],
  ['local', []],
  ['embedded', ['avansas', 'avprod']],
])('the environment %s has the tenants %j', (env, names) => {
  expect(tenantsOf(group!, env).map(({ name }) => name)).toEqual(names);
});
