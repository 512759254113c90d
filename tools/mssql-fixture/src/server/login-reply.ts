import { SqlServerError, raise } from '../engine/sql-server-error.ts';
import { errorMessage } from '../batch/error-message.ts';
import { versionParts, type Host } from '../batch/host.ts';
import { databaseRoles, type LoginRoles } from '../batch/session.ts';
import type { Login } from '../tds/login7.ts';
import {
  writeCollationChange,
  writeLoginAck,
  writeMessage,
  writeTextChange,
} from '../tds/tokens.ts';
import type { ByteWriter } from '../tds/byte-writer.ts';

/** A login of the server. */
export interface LoginAccount extends LoginRoles {
  readonly name: string;
  readonly password: string;
  readonly defaultDatabase?: string;
}

/** Account and database of a login. */
export interface AcceptedLogin {
  readonly account: LoginAccount;
  readonly databaseName: string;
}

/**
 * Finds the account and the database of a login. Throws 18456 for a wrong name or password, and 4060 for a database
 * that does not exist or is not open to the account.
 */
export function acceptLogin(
  login: Login,
  accounts: readonly LoginAccount[],
  host: Host,
): AcceptedLogin {
  const account = accounts.find(
    (candidate) => candidate.name.toLowerCase() === login.userName.toLowerCase(),
  );
  if (!account || account.password !== login.password) throw raise(18456, [login.userName]);
  const wanted = login.database || account.defaultDatabase || 'master';
  const entry = host.engine.database(wanted);
  const hasAccess =
    entry && databaseRoles({ login: { ...account, hostName: '', appName: '' } }, entry.name);
  if (!entry || !hasAccess) throw raise(4060, [wanted]);
  return { account, databaseName: entry.name };
}

/** Builds the error of a number for a login or a request. The default text is SQL Server's. */
export function faultError(
  { number, message }: { readonly number: number; readonly message?: string | undefined },
  values: readonly (string | number)[],
): SqlServerError {
  if (message === undefined) return raise(number, values);
  return new SqlServerError(number, message, number === 1205 ? 13 : 16);
}

/** Writes the tokens of a successful login in SQL Server's order. */
export function writeLoginSuccess(
  tokens: ByteWriter,
  {
    databaseName,
    packetBytes,
    host,
  }: { readonly databaseName: string; readonly packetBytes: number; readonly host: Host },
): void {
  const info = (error: SqlServerError): void =>
    writeMessage(tokens, errorMessage(error), host.serverName);
  writeTextChange(tokens, 'database', { from: 'master', to: databaseName });
  info(raise(5701, [databaseName]));
  writeCollationChange(tokens);
  writeTextChange(tokens, 'language', { from: '', to: 'us_english' });
  info(raise(5703));
  writeLoginAck(tokens, 'Microsoft SQL Server', versionParts(host.productVersion));
  writeTextChange(tokens, 'packetBytes', { from: '4096', to: String(packetBytes) });
}
