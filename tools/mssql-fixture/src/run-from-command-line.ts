import { parseArgs } from 'node:util';
import { readFileSync, writeFileSync } from 'node:fs';
import type { MssqlCatalog } from './engine/views.ts';
import { synthesizeCatalog } from './engine/synthesize-catalog.ts';
import { readAdopusCatalog } from './read-adopus-catalog.ts';
import { startMssqlFixture } from './server/start-mssql-fixture.ts';
import type { EncryptionMode } from './tds/prelogin.ts';

const USAGE = `mssql-fixture [--port N] [--database NAME[=FILE | =TABLESxCOLUMNS]]... [--encryption MODE] [--ca FILE]

  --database    AdOpusTest unless said; FILE holds the rows of its views as JSON, 4000x25 makes up a large one
  --encryption  optional (unless said), required or unsupported
  --ca          writes the server's certificate there, for a client that trusts it as CA
`;

/** Starts a server, prints how to connect, and stops it on the first SIGINT or SIGTERM. */
export async function runFromCommandLine(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: '0' },
      database: { type: 'string', multiple: true, default: ['AdOpusTest'] },
      encryption: { type: 'string', default: 'optional' },
      ca: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const server = await startMssqlFixture({
    databases: Object.fromEntries(values.database.map(parseDatabase)),
    encryption: parseEncryption(values.encryption),
    port: Number(values.port),
  });
  if (values.ca !== undefined) writeFileSync(values.ca, server.certificatePem);
  const lines = [
    ['host', server.host],
    ['port', String(server.port)],
    ['user', server.login.userName],
    ['password', server.login.password],
    ['databases', values.database.map((text) => text.split('=')[0]).join(', ')],
    ...(values.ca === undefined ? [] : [['ca', values.ca]]),
  ];
  process.stdout.write(lines.map(([name, value]) => `${name}: ${value}\n`).join(''));
  const stop = (): void => void server.close();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

function parseDatabase(text: string): readonly [name: string, catalog: MssqlCatalog] {
  const [name = '', source] = text.split('=');
  const size = /^(\d+)x(\d+)$/.exec(source ?? '');
  if (size) {
    const [, tables, columnsPerTable] = size.map(Number);
    return [
      name,
      synthesizeCatalog({ tables: tables ?? 0, columnsPerTable: columnsPerTable ?? 0 }),
    ];
  }
  if (source === undefined) return [name, readAdopusCatalog()];
  return [name, JSON.parse(readFileSync(source, 'utf8')) as MssqlCatalog];
}

function parseEncryption(text: string): EncryptionMode {
  if (text === 'optional' || text === 'required' || text === 'unsupported') return text;
  throw new Error(`unknown --encryption ${text}; known: optional, required, unsupported`);
}
