import { startTarget, type Target } from '../target.fixture.ts';
import { readStructure } from './read-structure.ts';

const ROLE = 'cdc_sink';
const SCHEMAS = ['one', 'other'];

/** Creates the same objects in a schema. */
const create = (schema: string) => `
  CREATE SCHEMA ${schema};
  CREATE TABLE ${schema}.t (id integer, name text, note text);
  CREATE UNIQUE INDEX i ON ${schema}.t (name) WHERE id > 0;
  CREATE FUNCTION ${schema}.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  CREATE TRIGGER fired AFTER INSERT ON ${schema}.t EXECUTE FUNCTION public.note('a');`;

/** Creates the index again, with other properties. */
const index = (properties: string) => `DROP INDEX other.i; CREATE ${properties}`;
/** Creates the trigger again, with other properties. */
const trigger = (properties: string) =>
  `DROP TRIGGER fired ON other.t; CREATE TRIGGER ${properties}`;

/** A change of one of two equal relations for each property. */
const CHANGES: readonly (readonly [property: string, change: string])[] = [
  ['kind', 'DROP TABLE other.t; CREATE VIEW other.t AS TABLE one.t'],
  ['persistence', 'ALTER TABLE other.t SET UNLOGGED'],
  ['canInsert', `GRANT INSERT ON other.t TO ${ROLE}`],
  ['constraints', 'ALTER TABLE other.t ADD CONSTRAINT positive CHECK (id > 0)'],
  [
    'partitionKey',
    `DROP TABLE other.t; ${create('other').replace('CREATE SCHEMA other;', '').replace('text);', 'text) PARTITION BY RANGE (note);').replace('UNIQUE INDEX', 'INDEX')}`.split(
      'CREATE INDEX',
    )[0]!,
  ],
  ['columns.name', 'ALTER TABLE other.t RENAME note TO remark'],
  ['columns.type', 'ALTER TABLE other.t ALTER name TYPE varchar(9)'],
  ['columns.nullable', 'ALTER TABLE other.t ALTER name SET NOT NULL'],
  ['columns.default', 'ALTER TABLE other.t ALTER id SET DEFAULT 1'],
  ['indexes.name', 'ALTER INDEX other.i RENAME TO j'],
  [
    'indexes.primary',
    'ALTER TABLE other.t ALTER id SET NOT NULL; DROP INDEX other.i; ALTER TABLE other.t ADD CONSTRAINT i PRIMARY KEY (id)',
  ],
  ['indexes.unique', index('INDEX i ON other.t (name) WHERE id > 0')],
  [
    'indexes.nullsNotDistinct',
    index('UNIQUE INDEX i ON other.t (name) NULLS NOT DISTINCT WHERE id > 0'),
  ],
  [
    'indexes.valid',
    "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'other.i'::regclass",
  ],
  ['indexes.method', index('INDEX i ON other.t USING hash (name) WHERE id > 0')],
  ['indexes.where', index('UNIQUE INDEX i ON other.t (name) WHERE id > 1')],
  ['indexes.columns', index('UNIQUE INDEX i ON other.t (note) WHERE id > 0')],
  ['triggers.name', 'ALTER TRIGGER fired ON other.t RENAME TO burnt'],
  ['triggers.type', trigger("fired BEFORE INSERT ON other.t EXECUTE FUNCTION public.note('a')")],
  ['triggers.fires', 'ALTER TABLE other.t ENABLE ALWAYS TRIGGER fired'],
  ['triggers.function', trigger("fired AFTER INSERT ON other.t EXECUTE FUNCTION one.note('a')")],
  [
    'triggers.arguments',
    trigger("fired AFTER INSERT ON other.t EXECUTE FUNCTION public.note('b')"),
  ],
];

let target: Target;
beforeAll(async () => {
  target = await startTarget(15);
  await target.server.createRole(ROLE);
});
afterAll(() => target?.stop());
beforeEach(() =>
  target.query(`DROP SCHEMA IF EXISTS one, other, public CASCADE; CREATE SCHEMA public;
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    ${SCHEMAS.map(create).join('')}`),
);

const read = () =>
  target.withSession((session) =>
    readStructure(session, { schemas: SCHEMAS, tables: [], role: ROLE }),
  );

it('describes equal relations once', async () => {
  expect(await read()).toMatchObject([{ name: 't', schemas: SCHEMAS }]);
});

it.each(CHANGES)('describes relations that differ in %s separately', async (property, change) => {
  await target.query(change);
  const groups = await read();
  expect(groups.map(({ schemas }) => schemas).sort()).toEqual([['one'], ['other']]);
  const [one, other] = groups.map((group) => JSON.stringify(valueOf(group, property)));
  expect(one).not.toEqual(other);
});

it('CHANGES has an entry for each property of a relation', async () => {
  const [group] = await read();
  const { schemas: _, name: __, ...described } = group!;
  const properties = Object.entries(described).flatMap(([name, value]) =>
    Array.isArray(value) && typeof value[0] === 'object'
      ? Object.keys(value[0] as object).map((part) => `${name}.${part}`)
      : [name],
  );
  expect(CHANGES.map(([property]) => property).sort()).toEqual(properties.sort());
});

function valueOf(group: object, property: string): unknown {
  const [name, part] = property.split('.') as [string, string?];
  const value = (group as Readonly<Record<string, unknown>>)[name];
  if (part === undefined) return value;
  return (value as readonly Readonly<Record<string, unknown>>[]).map((each) => each[part]);
}
