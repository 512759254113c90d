/**
 * A server that speaks as SQL Server does, with catalogs of so many tables of 25 columns. Says where it listens in the
 * file of the first argument, with the round trips so far; ends with its standard input.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { startMssqlFixture, synthesizeCatalog } from '@cdc-migrations/mssql-fixture';

const [file = '', ...sizes] = process.argv.slice(2);
const COLUMNS = 25;
const SAY_EVERY_MS = 20;

const server = await startMssqlFixture({
  databases: Object.fromEntries(
    sizes.map((size) => [
      `Tables${size}`,
      synthesizeCatalog({ tables: Number(size), columnsPerTable: COLUMNS }),
    ]),
  ),
});
let said = '';
setInterval(() => {
  const { host, port, login } = server;
  const text = JSON.stringify({ host, port, ...login, roundTrips: server.roundTrips() });
  if (text === said) return;
  writeFileSync(`${file}.part`, text);
  renameSync(`${file}.part`, file);
  said = text;
}, SAY_EVERY_MS);
process.stdin.on('end', () => process.exit()).resume();
