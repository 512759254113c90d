import { join } from 'node:path';
import { readConfig, readServiceConfig } from './read-config.ts';
import { tenantsOf } from './tenants-of.ts';

const ADOPUS = join(__dirname, '..', '..', '..', 'fixtures', 'adopus');

it('reads fixtures/adopus', () => {
  const { sourceGroups, sinkGroups, services, templates } = readConfig(ADOPUS);
  const [group] = sourceGroups;
  expect(group).toMatchObject({ name: 'adopus', databaseRef: 'AdOpusTest', type: 'mssql' });
  expect(group?.sources).toHaveLength(26);
  expect(tenantsOf(group!, 'local').map(({ name }) => name)).toEqual(['avansas']);
  expect(sinkGroups.map(({ name }) => name)).toEqual(['sink_asma']);
  expect(services).toHaveLength(1);
  expect(services[0]?.tables).toHaveLength(39);
  expect(services[0]?.sinks[0]?.tables).toHaveLength(41);
  expect(templates.size).toBe(5);
});

it('readServiceConfig reads everything except the source groups', () => {
  const { sourceGroups, ...rest } = readConfig(ADOPUS);
  expect(sourceGroups).not.toEqual([]);
  expect(readServiceConfig(ADOPUS)).toEqual(rest);
});
