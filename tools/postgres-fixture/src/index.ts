export { enableTls } from './enable-tls.ts';
export type { TlsFiles } from './enable-tls.ts';
export { startPostgres } from './start-postgres.ts';
export type {
  ConnectOptions,
  DatabaseOptions,
  PostgresOptions,
  PostgresServer,
  Standby,
  RoleOptions,
} from './start-postgres.ts';
export type { Major } from './postgres-binaries.ts';
