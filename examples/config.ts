/**
 * Lists which customers feed which environment of the sinks. Reads `source-groups.yaml` from a text. `readConfig` reads
 * a folder.
 */
import { ConfigError, parseSourceGroups, tenantsOf } from '@cdc-migrations/config';

const text = `
adopus:
  pattern: db-per-tenant
  type: mssql
  envs: [nonprod, prod]
  servers:
    default: { host: db.example, port: 1433, user: cdc, password: '\${PASSWORD}' }
  sources:
    avansas:
      schemas: [dbo]
      nonprod: { server: default, database: AdOpusTest, target_sink_env: prod }
    osloprod:
      schemas: [dbo]
      nonprod: { server: default, database: AdOpusOsloTest }
      prod: { server: default, database: AdOpusOslo }
`;

const groups = parseSourceGroups(new Map([['source-groups.yaml', text]]));
for (const group of groups) {
  for (const env of ['nonprod', 'prod'])
    console.log(
      `${group.name} ${env}: ${tenantsOf(group, env)
        .map(({ name }) => name)
        .join(', ')}`,
    );
}

try {
  const mistaken = text.replace('schemas: [dbo]', 'schema: [dbo]');
  parseSourceGroups(new Map([['source-groups.yaml', mistaken]]));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.log(error.message);
}
