import type { ResolvedServer } from '@cdc-migrations/session';

/** Reads the address of a PostgreSQL server from libpq's variables: PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE. */
export function postgresAddress(): { readonly server: ResolvedServer; readonly database: string } {
  const { PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE } = process.env;
  return {
    server: {
      name: 'example',
      host: PGHOST ?? '127.0.0.1',
      port: Number(PGPORT ?? 5432),
      user: PGUSER ?? 'postgres',
      password: PGPASSWORD ?? '',
      sslmode: 'disable',
    },
    database: PGDATABASE ?? 'postgres',
  };
}
