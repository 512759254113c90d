import type { SourceEvent } from '@cdc-migrations/introspect';

const TEXT: {
  readonly [K in SourceEvent['kind']]: (event: Extract<SourceEvent, { kind: K }>) => string;
} = {
  connecting: ({ database, host }) => `${database}: connecting to ${host}`,
  retrying: ({ reason }) => `${reason} (once more)`,
  reading: ({ database, tables }) => `${database}: reading ${countOf(tables, 'table')}`,
  unchanged: ({ database }) => `${database}: nothing changed since the snapshot`,
  cleaning: ({ database, instance }) => `${database}: cleaning ${instance}`,
  enabling: ({ database, table }) => `${database}: enabling ${table}`,
  read: ({ database, tables }) => `${database}: ${countOf(tables, 'table')} read`,
};

/** Says on standard error what goes on. */
export function showEvent(event: SourceEvent): void {
  const text = TEXT[event.kind] as (event: SourceEvent) => string;
  process.stderr.write(`${text(event)}\n`);
}

/** `1 table`, `39 tables`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
