/**
 * Runs a fake SQL Server whose catalogs have N tables of 25 columns. Writes its address and the number of round trips
 * to the file in the first argument. Ends with its standard input.
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
