import { flag, oneOf, text } from '@cdc-migrations/shape';
import * as v from 'valibot';
import { LEFT_ALONE } from './left-alone.ts';

/** A server of `servers:`, each text as written or with `${NAME}` in it. */
export const serverSchema = v.strictObject({
  host: connectionText('a host such as ${MSSQL_HOST}'),
  port: v.pipe(
    connectionText('a port such as 1433 or ${MSSQL_PORT}'),
    v.check(
      (port) => port.includes('${') || isPort(port),
      'expected a port from 1 to 65535, or ${NAME}',
    ),
    v.metadata({
      jsonSchema: {
        type: ['integer', 'string'],
        minimum: 1,
        maximum: 65535,
        pattern: '^[0-9]{1,5}$|\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}',
      },
    }),
  ),
  user: connectionText('a user such as ${MSSQL_USER}'),
  password: connectionText('a password such as ${MSSQL_PASSWORD}'),
  encrypt: v.optional(flag()),
  trust_server_certificate: v.optional(flag()),
  sslmode: v.optional(oneOf(['disable', 'require', 'verify-ca', 'verify-full'])),
  ca_file: v.optional(connectionText('the path of a file')),
  ...LEFT_ALONE,
});

/** Whether a text is a number that a port can have. */
export function isPort(port: string): boolean {
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535;
}

function connectionText(what: string) {
  return v.pipe(
    text(what),
    v.regex(
      /^(?![\s\S]*\$\{(?![A-Za-z_][A-Za-z0-9_]*\}))/,
      'expected ${NAME} of letters, digits and _ after each ${',
    ),
  );
}
