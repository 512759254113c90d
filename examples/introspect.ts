/** Reads the structure of a PostgreSQL database as a snapshot that can be committed and compared. */
import { renderSnapshot } from '@cdc-migrations/catalog';
import { compareCatalogs, readCatalogs } from '@cdc-migrations/introspect';
import { openSession } from '@cdc-migrations/tracker';
import { postgresAddress } from './postgres-address.ts';

const { server, database } = postgresAddress();
const session = openSession({ server, database }, 'example');
await session.query(`
  CREATE TYPE public.state AS ENUM ('draft', 'sent');
  CREATE TABLE public.invoice (number bigint PRIMARY KEY, amount numeric(12, 2) NOT NULL, state public.state)`);

const selection = { database: 'billing', schema: 'public', pattern: 'db-shared' } as const;
const read = async () => {
  const selections = [{ ...selection, tables: ['invoice'] }];
  const [catalog] = (await readCatalogs({ type: 'postgres', server, database }, selections)) ?? [];
  if (!catalog) throw new Error('no catalog');
  return catalog;
};
const before = await read();
const { path, text } = renderSnapshot(before);
console.log(path);
console.log(text.slice(text.indexOf('tables:')));

await session.query('ALTER TABLE public.invoice ALTER amount TYPE numeric(14, 2), ADD paid date');
for (const { table, column, kind, detail } of compareCatalogs(before, await read()))
  console.log(`${table}.${column}: ${kind}${detail ? `, ${detail}` : ''}`);
await session.close();
