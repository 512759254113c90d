import type { Pattern, SourceType } from '@cdc-migrations/catalog';
import type { ResolvedServer } from '@cdc-migrations/session';

/** A database of a source, with all that a connection needs. */
export interface SourceDatabase {
  readonly type: SourceType;
  readonly server: ResolvedServer;
  readonly database: string;
}

/** The tables of one schema that are to be read. */
export interface CatalogSelection {
  /** Database and schema stand in the catalog as they are spelled here, because they name its snapshot. */
  readonly database: string;
  readonly schema: string;
  readonly pattern: Pattern;
  readonly tables: readonly string[];
}

/** What goes on while a source is used. */
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

/** How a source is read. */
export interface SourceOptions {
  /** For connecting, and again for each query. */
  readonly timeoutMs?: number;
  readonly onEvent?: (event: SourceEvent) => void;
}

export const DEFAULT_TIMEOUT_MS = 30_000;

/** Where something happened, in messages: `AdOpusTest on db.example:1433`. */
export function describeSource({ server, database }: SourceDatabase): string {
  return `${database} on ${server.host}:${server.port}`;
}
