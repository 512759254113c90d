import { buildStatus } from './build-status.ts';
import { WHOLE_DATABASE, type Migrations } from '../migrations/migrations.ts';
import type { HistoryEntry, TargetState } from '../history/read-target.ts';

const MIGRATIONS: Migrations = {
  set: {
    name: 'sink_asma.directory',
    folder: 'migrations',
    pattern: 'db-per-tenant',
    sourceGroup: 'adopus',
    services: ['adopus'],
    literalSchemas: [],
  },
  role: 'cdc',
  files: [
    {
      path: 'tables/Actor.sql',
      category: 'tables',
      name: 'Actor',
      scope: 'tenant',
      checksum: 'new',
      text: '',
    },
  ],
  validation: [],
  tables: [],
  problems: [],
};

function stateWith(entry: HistoryEntry): TargetState {
  return {
    schemas: new Set(['blue']),
    usable: new Set(['blue']),
    hasRole: true,
    foreign: [],
    isStandby: false,
    encoding: 'UTF8',
    hasHistory: true,
    history: { find: () => entry, entries: [] },
  };
}

const error = 'relation "x" does not exist';

it.each<[string, Omit<HistoryEntry, 'error'>, object]>([
  [
    'failed with this content',
    { checksum: 'new', outcome: 'failed', appliedChecksum: null },
    { state: 'failed', error },
  ],
  [
    'refused with this content',
    { checksum: 'new', outcome: 'unsafe', appliedChecksum: 'old' },
    { state: 'unsafe', error },
  ],
  [
    'failed with other content, and is applied with this content',
    { checksum: 'other', outcome: 'failed', appliedChecksum: 'new' },
    { state: 'applied' },
  ],
  [
    'failed with content that has changed since',
    { checksum: 'other', outcome: 'failed', appliedChecksum: 'old' },
    { state: 'outdated' },
  ],
])('reports the state of a file that %s', (_, entry, expected) => {
  const { schemas } = buildStatus(MIGRATIONS, stateWith({ ...entry, error }), {
    tenants: ['blue'],
  });
  expect(schemas).toEqual([
    { schema: WHOLE_DATABASE, files: [] },
    { schema: 'blue', files: [{ path: 'tables/Actor.sql', ...expected }] },
  ]);
});
