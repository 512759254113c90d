/** Checks which servers of a configuration have all their variables set, before connecting. */
import { parseSourceGroups } from '@cdc-migrations/config';
import { MissingVariablesError, postgresTls, resolveServer } from '@cdc-migrations/session';

const files = new Map([
  [
    'source-groups.yaml',
    `
crm:
  pattern: db-shared
  type: postgres
  envs: [prod]
  servers:
    main: { host: '\${CRM_HOST}', port: 5432, user: cdc, password: '\${CRM_PASSWORD}', sslmode: verify-full }
    spare: { host: '\${SPARE_HOST}', port: '\${SPARE_PORT}', user: cdc, password: '\${CRM_PASSWORD}' }
  sources:
    crm: { schemas: [public], prod: { server: main, database: crm } }
`,
  ],
]);
const env = { CRM_HOST: 'crm.example', CRM_PASSWORD: 'secret' };

for (const { servers } of parseSourceGroups(files)) {
  for (const [name, server] of servers) {
    try {
      const resolved = resolveServer(server, env);
      const tls = postgresTls(resolved);
      console.log(`${name}: ${resolved.host}:${resolved.port}, ${tls ? 'TLS' : 'clear text'}`);
    } catch (error) {
      if (!(error instanceof MissingVariablesError)) throw error;
      console.log(`${name}: missing ${error.names.join(', ')}`);
    }
  }
}
