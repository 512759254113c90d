/**
 * Reads a catalog from the server in the file of the first argument: `together` like schema-docs, or `one by one` with
 * one query per table on one connection.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { readCatalogs } from '@cdc-migrations/introspect';
import { Connection, Request, TYPES } from 'tedious';

const [file = '', size = '', way = ''] = process.argv.slice(2);
const { host, port, userName, password } = /** @type {import('./introspect-bench.mjs').Served} */ (
  JSON.parse(readFileSync(file, 'utf8'))
);
const database = `Tables${size}`;
const tables = Array.from(
  { length: Number(size) },
  (_, i) => `Table${String(i + 1).padStart(4, '0')}`,
);

const TABLE_SQL = `
SELECT c.column_id, c.name, y.name AS type, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity,
  c.collation_name, x.key_ordinal
FROM sys.tables AS t
JOIN sys.schemas AS s ON s.schema_id = t.schema_id
JOIN sys.columns AS c ON c.object_id = t.object_id
JOIN sys.types AS y ON y.user_type_id = c.user_type_id
LEFT JOIN sys.indexes AS i ON i.object_id = t.object_id AND i.is_primary_key = 1
LEFT JOIN sys.index_columns AS x
  ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.column_id = c.column_id
WHERE s.name = N'dbo' AND t.name = @table`;

const columns = way === 'together' ? await readTogether() : await readOneByOne();
if (columns !== tables.length * 25) throw new Error(`${columns} columns`);

async function readTogether() {
  const address = { name: 'bench', host, port, user: userName, password, encrypt: false };
  const [catalog] =
    (await readCatalogs({ type: 'mssql', server: address, database }, [
      { database, schema: 'dbo', pattern: 'db-per-tenant', tables },
    ])) ?? [];
  return catalog?.tables.reduce((sum, table) => sum + table.columns.length, 0);
}

/**
 * Connects without delay, as our driver does. Otherwise small requests would wait 40 ms each for an acknowledgement.
 */
async function connector() {
  const socket = connect({ host, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Reads the columns of each table with types and primary key positions. This is less than what is read together. */
async function readOneByOne() {
  const connection = new Connection({
    server: host,
    authentication: { type: 'default', options: { userName, password } },
    options: { port, database, encrypt: false, connector },
  });
  await /** @type {Promise<void>} */ (
    new Promise((resolve, reject) =>
      connection.connect((error) => (error ? reject(error) : resolve())),
    )
  );
  let read = 0;
  for (const table of tables) read += await readTable(connection, table);
  connection.close();
  return read;
}

/**
 * @param {Connection} connection
 * @param {string} table
 * @returns {Promise<number>}
 */
function readTable(connection, table) {
  return new Promise((resolve, reject) => {
    const request = new Request(TABLE_SQL, (error, count) =>
      error ? reject(error) : resolve(count ?? 0),
    );
    request.addParameter('table', TYPES.NVarChar, table);
    connection.execSql(request);
  });
}
