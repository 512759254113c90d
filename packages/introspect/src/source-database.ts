import type { Pattern, SourceType } from '@cdc-migrations/catalog';
import type { ResolvedServer } from '@cdc-migrations/session';

/** A source database with everything that a connection needs. */
export interface SourceDatabase {
  readonly type: SourceType;
  readonly server: ResolvedServer;
  readonly database: string;
}

/** Tables of one schema to read. */
export interface CatalogSelection {
  /** The catalog keeps this spelling of database and schema, because they are part of the snapshot's file name. */
  readonly database: string;
  readonly schema: string;
  readonly pattern: Pattern;
  readonly tables: readonly string[];
}

/** Event about the progress of an operation on a source. */
export type SourceEvent =
  | { readonly kind: 'connecting'; readonly database: string; readonly host: string }
  | { readonly kind: 'retrying'; readonly database: string; readonly reason: string }
  | { readonly kind: 'reading'; readonly database: string; readonly tables: number }
  | { readonly kind: 'unchanged'; readonly database: string }
  | { readonly kind: 'enabling'; readonly database: string; readonly table: string }
  | {
      readonly kind: 'rotating';
      readonly database: string;
      readonly table: string;
      readonly step: string;
    }
  | { readonly kind: 'cleaning'; readonly database: string; readonly instance: string }
  | { readonly kind: 'read'; readonly database: string; readonly tables: number };

/** Options for reading a source. */
export interface SourceOptions {
  /** Timeout for connecting and for each query. */
  readonly timeoutMs?: number;
  readonly onEvent?: (event: SourceEvent) => void;
}

export const DEFAULT_TIMEOUT_MS = 30_000;

/** Describes a source in messages: `AdOpusTest on db.example:1433`. */
export function describeSource({ server, database }: SourceDatabase): string {
  return `${database} on ${server.host}:${server.port}`;
}
