import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fixture from './index.ts';

type Example = (modules: Readonly<Record<string, object>>) => Promise<unknown>;

it('the example of the README runs and closes its server', async () => {
  const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
  const [, code = ''] = /^```ts\n([^]*?)^```$/m.exec(readme) ?? [];
  const script = code.replace(/^import (\{[^}]+\}) from '(.+)';$/m, "const $1 = modules['$2'];");
  const AsyncFunction = Object.getPrototypeOf(async () => undefined)
    .constructor as FunctionConstructor;
  const example = new AsyncFunction('modules', `${script}\nreturn server;`) as unknown as Example;
  const server = (await example({
    '@cdc-migrations/mssql-fixture': fixture,
  })) as fixture.MssqlFixture;
  expect(server.internalErrors()).toEqual([]);
  await expect(fetch(`http://${server.host}:${server.port}`)).rejects.toThrow('fetch failed');
});
