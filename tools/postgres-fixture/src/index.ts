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
