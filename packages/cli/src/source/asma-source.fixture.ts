import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '@cdc-migrations/postgres-fixture';
import { copyRepo, type SourceRepo } from './source-repo.fixture.ts';

const DATA = join(__dirname, '../../../../tools/postgres-fixture/data');
const SERVICES = ['chat', 'directory', 'proxy'];

/** Sources of `fixtures/asma` in the environment dev, on one server of the fixture. */
export interface AsmaSource {
  readonly repo: SourceRepo;
  readonly databases: readonly string[];
  /** Returns the variables with the server's address, for commands. */
  env(address: Pick<PostgresServer, 'host' | 'port'>): Readonly<Record<string, string>>;
}

/** Creates the database of each service with its tables, and a copy of the implementation repo. */
export async function createAsmaSource(server: PostgresServer): Promise<AsmaSource> {
  const databases: string[] = [];
  for (const service of SERVICES) {
    const database = await server.createDatabase({ name: `${service}_dev` });
    databases.push(database);
    const sql = server.connect({ database, max: 1, onnotice: () => {} });
    await sql.unsafe(readFileSync(join(DATA, `${service}.sql`), 'utf8')).simple();
    await sql.end();
  }
  const repo = copyRepo('asma');
  repo.edit('source-groups.yaml', /^( +)password: .*$/, '');
  const place = "      password: '${PG_PASSWORD}'\n      sslmode: disable";
  repo.edit('source-groups.yaml', /^ +user: .*$/, `      user: postgres\n${place}`);
  const env: AsmaSource['env'] = ({ host, port }) => ({
    ASMA_SOURCE_DEFAULT_HOST: host,
    ASMA_SOURCE_DEFAULT_PORT: String(port),
    PG_PASSWORD: server.password,
  });
  return { repo, databases, env };
}
