import type { SourceEvent } from '@cdc-migrations/introspect';
import { countOf } from '../count-of.ts';
import { printError } from '../print.ts';

const TEXT: {
  readonly [K in SourceEvent['kind']]: (event: Extract<SourceEvent, { kind: K }>) => string;
} = {
  connecting: ({ database, host }) => `${database}: connecting to ${host}`,
  retrying: ({ reason }) => `${reason} (retrying)`,
  reading: ({ database, tables }) => `${database}: reading ${countOf(tables, 'table')}`,
  unchanged: ({ database }) => `${database}: nothing changed since the snapshot`,
  cleaning: ({ database, instance }) => `${database}: cleaning ${instance}`,
  rotating: ({ database, table, step }) => `${database}: rotating ${table}: ${step}`,
  enabling: ({ database, table }) => `${database}: enabling ${table}`,
  read: ({ database, tables }) => `${database}: ${countOf(tables, 'table')} read`,
};

/** Prints progress to standard error. */
export function showEvent(event: SourceEvent): void {
  const text = TEXT[event.kind] as (event: SourceEvent) => string;
  printError([text(event)]);
}
