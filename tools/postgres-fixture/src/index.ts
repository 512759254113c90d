export { enableTls } from './enable-tls.ts';
export type { TlsFiles } from './enable-tls.ts';
export { describeDebian } from './debian.ts';
export { startImpostor } from './start-impostor.ts';
export type { Impostor } from './start-impostor.ts';
export { startPgbouncer } from './start-pgbouncer.ts';
export type { Pgbouncer, PgbouncerOptions, PoolMode } from './start-pgbouncer.ts';
export { startDebianPostgres, startPostgres } from './start-postgres.ts';
export type {
  Backup,
  ConnectOptions,
  DatabaseOptions,
  DebianOptions,
  PostgresOptions,
  PostgresServer,
  Standby,
  RoleOptions,
} from './start-postgres.ts';
export type { Major } from './postgres-binaries.ts';
export { logPlans, readPlans } from './read-plans.ts';
export { clearTextIn, TLS_REFUSALS } from './tls-answers.ts';
