import { readFileSync } from 'node:fs';
import type { MssqlCatalog } from './engine/views.ts';

const FILE = new URL('../data/AdOpusTest.catalog.json', import.meta.url);

/** The catalog of AdOpus's validation database: 43 tables, with what data/AdOpusTest.sql makes of them. */
export function readAdopusCatalog(): MssqlCatalog {
  return JSON.parse(readFileSync(FILE, 'utf8')) as MssqlCatalog;
}
