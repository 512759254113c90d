import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as catalog from '@cdc-migrations/catalog';
import * as config from '@cdc-migrations/config';
import * as ddlRender from '@cdc-migrations/ddl-render';
import { startPostgres, type PostgresServer } from '@cdc-migrations/postgres-fixture';
import * as session from '@cdc-migrations/session';
import * as stagingRender from '@cdc-migrations/staging-render';
import * as tableDefs from '@cdc-migrations/table-defs';
import * as tracker from '@cdc-migrations/tracker';
import postgres from 'postgres';
import { runReadme } from '../../fixtures/src/run-readme.ts';

const MODULES = {
  'node:fs': fs,
  'node:os': os,
  'node:path': path,
  '@cdc-migrations/catalog': catalog,
  '@cdc-migrations/config': config,
  '@cdc-migrations/ddl-render': ddlRender,
  '@cdc-migrations/session': session,
  '@cdc-migrations/staging-render': stagingRender,
  '@cdc-migrations/table-defs': tableDefs,
  '@cdc-migrations/tracker': tracker,
  postgres,
};

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ major: 15 });
});
afterAll(async () => {
  await server.stop();
});

it.each(['ddl-render', 'staging-render', 'tracker'])(
  'the example of the README of %s prints the output that the README shows',
  async (name) => {
    Object.assign(process.env, {
      PGHOST: server.host,
      PGPORT: String(server.port),
      PGUSER: 'postgres',
      PGPASSWORD: server.password,
      PGDATABASE: await server.createDatabase(),
    });
    const run = await runReadme(path.join(__dirname, '../../../packages', name), MODULES);
    expect(run.printed).toBe(run.promised);
  },
);
