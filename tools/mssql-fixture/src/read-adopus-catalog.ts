import { readFileSync } from 'node:fs';
import type { MssqlCatalog } from './engine/views.ts';

const FILE = new URL('../data/AdOpusTest.catalog.json', import.meta.url);

/** Reads the catalog of AdOpus's validation database. It has the 43 tables that data/AdOpusTest.sql creates. */
export function readAdopusCatalog(): MssqlCatalog {
  return JSON.parse(readFileSync(FILE, 'utf8')) as MssqlCatalog;
}
