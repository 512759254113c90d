import { type ManagedDatabase, startManagedDatabase } from './management.fixture.ts';
import { INFRASTRUCTURE_VERSION } from './render-infrastructure.ts';

/** Signature of a version. If it changes, increment the version and update both here. */
const VERSION = { version: 11, signature: '5ab2760e6e3dd3f576fcd959479b323a' };

describe('the version of the infrastructure', () => {
  let database: ManagedDatabase;
  beforeAll(async () => {
    database = await startManagedDatabase();
  });
  afterAll(() => database?.server.stop());

  it('is incremented with every change of a routine or column', async () => {
    const [row] = await database.sql`
      SELECT cdc_management.infrastructure_version() AS version, md5(string_agg(part, E'\n' ORDER BY part COLLATE "C")) AS signature
      FROM (
        SELECT concat(oid::regprocedure, ' ', proargnames, prorettype::regtype) FROM pg_proc
        WHERE pronamespace = 'cdc_management'::regnamespace
        UNION ALL
        SELECT concat(attrelid::regclass, ' ', attname, ' ', format_type(atttypid, atttypmod), ' ', attnotnull)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'cdc_management'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
      ) AS of_version (part)`;
    expect(row).toEqual({ ...VERSION, version: INFRASTRUCTURE_VERSION });
    expect(VERSION.version).toBe(INFRASTRUCTURE_VERSION);
  });
});
