import { ACTOR, CATALOG, FULL_COLUMN, plainTable } from './catalog.fixture.ts';
import { parseSnapshot } from './parse-snapshot.ts';
import { renderSnapshot } from './render-snapshot.ts';
import { SnapshotError } from './snapshot-error.ts';

const PATH = 'generated/schemas/AdOpusTest.dbo.yaml';
const HEAD = 'database: AdOpusTest\nschema: dbo\ntype: mssql\npattern: db-shared\n';
const COLUMNS = 'columns: [{name: id, type: int, nullable: false}]';

describe('parseSnapshot', () => {
  it('accepts what a person wrote or changed', () => {
    const text = `${HEAD}# a comment
tables:
    Tekst:
        # added by hand
        columns:
            - name: id
              type: int
              nullable: false
            - { name: 'Ny kolonne', type: nvarchar, length: max, nullable: yes_or_no }
        foreign_keys: []
    "Actor": { ${COLUMNS}, primary_key: { name: PK, columns: [id] } }
`.replace('yes_or_no', 'true');
    const { tables, ...head } = parseSnapshot(text, PATH);
    expect(head).toStrictEqual({
      database: 'AdOpusTest',
      schema: 'dbo',
      type: 'mssql',
      pattern: 'db-shared',
    });
    expect(tables).toStrictEqual([
      { ...plainTable('Actor'), primaryKey: { name: 'PK', columns: ['id'] } },
      {
        ...plainTable('Tekst'),
        columns: [
          { name: 'id', type: 'int', nullable: false },
          { name: 'Ny kolonne', type: 'nvarchar', length: 'max', nullable: true },
        ],
      },
    ]);
  });

  it('accepts a changed line in a file of ours, and CRLF', () => {
    const { text } = renderSnapshot(CATALOG);
    const edited = text.replace('"length": 100', '"length": 120').replaceAll('\n', '\r\n');
    expect(parseSnapshot(edited, PATH).tables[0]!.columns[1]).toStrictEqual({
      name: 'Navn',
      type: 'nvarchar',
      length: 120,
      nullable: true,
    });
  });

  it('keeps every facet', () => {
    const [actor] = parseSnapshot(renderSnapshot(CATALOG).text, PATH).tables;
    expect(actor).toStrictEqual(ACTOR);
    expect(actor!.columns[2]).toStrictEqual(FULL_COLUMN);
  });

  it.each([
    ['nothing', '', `${PATH}: is nothing; would be a snapshot`],
    ['a text', 'hello', `${PATH}: is "hello"; would be a snapshot`],
    ['a list', '- a', `${PATH}: is ["a"]; would be a snapshot`],
    ['no tables', HEAD, `${PATH} tables: is missing; would be a mapping of tables by name`],
    ['null', `${HEAD}tables:`, `${PATH} tables: is null; would be a mapping of tables by name`],
    [
      'tables as a list',
      `${HEAD}tables: [Actor]`,
      `${PATH} tables: is ["Actor"]; would be a mapping of tables by name`,
    ],
    [
      'an empty head',
      'tables: {}',
      `${PATH} database: is missing; would be the name of a database
${PATH} schema: is missing; would be the name of a schema
${PATH} type: is missing; would be mssql or postgres
${PATH} pattern: is missing; would be db-per-tenant or db-shared`,
    ],
    [
      'a wrong head',
      `${HEAD}tables: {}`.replace('mssql', 'oracle').replace('schema: dbo', 'schema: 1'),
      `${PATH} schema: is 1; would be the name of a schema
${PATH} type: is "oracle"; would be mssql or postgres`,
    ],
    [
      'an unknown key',
      `${HEAD}tables: {}\ncolation: x`,
      `${PATH} colation: unknown key; known: database, schema, type, pattern, collation, fingerprint`,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseSnapshot(text, PATH)).toThrow(SnapshotError);
    expect(messageOf(text)).toBe(message);
  });

  it.each([
    [
      'a table that is none',
      'Actor: 1',
      'Actor: is 1; would be a mapping of tracked, columns, primary_key, unique_indexes, foreign_keys',
    ],
    ['no columns', 'Actor: {}', 'Actor.columns: is missing; would be a list of columns'],
    [
      'columns that are no list',
      'Actor: { columns: { id: int } }',
      'Actor.columns: is {"id":"int"}; would be a list of columns',
    ],
    [
      'an unknown key of a table',
      `Actor: { ${COLUMNS}, primaryKey: {} }`,
      'Actor.primaryKey: unknown key; known: tracked, columns, primary_key, unique_indexes, foreign_keys',
    ],
    [
      'tracked as a word',
      `Actor: { ${COLUMNS}, tracked: yes }`,
      'Actor.tracked: is "yes"; would be true or false',
    ],
    [
      'a column without type',
      'Actor: { columns: [{ name: Navn, nullable: true }] }',
      'Actor.Navn.type: is missing; would be a type without facets: nvarchar',
    ],
    [
      'a column without nullable',
      'Actor: { columns: [{ name: Navn, type: int }] }',
      'Actor.Navn.nullable: is missing; would be true or false',
    ],
    [
      'a column without name',
      'Actor: { columns: [{ type: int, nullable: true }] }',
      'Actor.columns[0].name: is missing; would be the name of a column',
    ],
    [
      'an unknown facet',
      'Actor: { columns: [{ name: Navn, type: int, nullable: true, lenght: 3 }] }',
      'Actor.Navn.lenght: unknown key; known: name, type, length, precision, scale, array, declared_as, declared_kind, nullable, identity, computed, default, collation',
    ],
    [
      'a length in words',
      'Actor: { columns: [{ name: Navn, type: varchar, nullable: true, length: ten }] }',
      'Actor.Navn.length: is "ten"; would be a whole number from 1, or max',
    ],
    [
      'a length of nothing',
      'Actor: { columns: [{ name: Navn, type: varchar, nullable: true, length: 0 }] }',
      'Actor.Navn.length: is 0; would be a whole number from 1, or max',
    ],
    [
      'a column twice',
      'Actor: { columns: [{ name: a, type: int, nullable: true }, { name: a, type: bit, nullable: true }] }',
      'Actor.a: is there twice',
    ],
    [
      'a key of no column',
      `Actor: { ${COLUMNS}, primary_key: { name: PK, columns: [ID] } }`,
      'Actor.primary_key: "ID" is no column of the table',
    ],
    [
      'a key of nothing',
      `Actor: { ${COLUMNS}, primary_key: { name: PK, columns: [] } }`,
      'Actor.primary_key.columns: is []; would be a list of column names',
    ],
    [
      'an index without name',
      `Actor: { ${COLUMNS}, unique_indexes: [{ columns: [id] }] }`,
      'Actor.unique_indexes.0.name: is missing; would be the name of a key',
    ],
    [
      'an index of no column',
      `Actor: { ${COLUMNS}, unique_indexes: [{ name: UX, columns: [x] }] }`,
      'Actor.unique_indexes.UX: "x" is no column of the table',
    ],
    [
      'a foreign key to nothing',
      `Actor: { ${COLUMNS}, foreign_keys: [{ name: FK, columns: [id], references: dbo.B }] }`,
      'Actor.foreign_keys.FK.references: is "dbo.B"; would be {schema: …, table: …, columns: […]}',
    ],
    [
      'a foreign key to more columns',
      `Actor: { ${COLUMNS}, foreign_keys: [{ name: FK, columns: [id], references: { schema: dbo, table: B, columns: [a, b] } }] }`,
      'Actor.foreign_keys.FK: has not as many columns as it refers to',
    ],
  ])('refuses %s', (_, table, message) => {
    expect(messageOf(`${HEAD}tables:\n  ${table}\n`)).toBe(`${PATH} tables.${message}`);
  });

  it('names all problems at once, as fields too', () => {
    const text = `${HEAD}tables: { B: { columns: 1 }, A: { columns: [{ name: x, type: 1, nullable: 2 }] } }`;
    expect(() => parseSnapshot(text.replace('mssql', 'db2'), PATH)).toThrow(
      expect.objectContaining({
        path: PATH,
        problems: [
          expect.objectContaining({ key: 'type' }),
          expect.objectContaining({ table: 'B', key: 'columns' }),
          expect.objectContaining({ table: 'A', column: 'x', key: 'type' }),
          expect.objectContaining({ table: 'A', column: 'x', key: 'nullable' }),
        ],
      }),
    );
  });

  it.each([
    ['a table twice', `${HEAD}tables:\n  A:\n    ${COLUMNS}\n  A:\n    ${COLUMNS}\n`],
    ['broken YAML', `${HEAD}tables: "`],
  ])('refuses %s with the line', (_, text) => {
    expect(messageOf(text)).toMatch(new RegExp(`^${PATH}: no YAML: .*\\(\\d+:\\d+\\)`));
  });

  it('reads a hundred thousand columns well under a second', () => {
    const columns = Array.from({ length: 25 }, (_, index) => ({
      name: `c${index}`,
      type: 'nvarchar',
      length: 100,
      nullable: true,
    }));
    const tables = Array.from({ length: 4000 }, (_, index) => ({
      ...plainTable(`T${index}`),
      columns,
    }));
    const { text } = renderSnapshot({ ...CATALOG, tables });
    const start = performance.now();
    expect(parseSnapshot(text, PATH).tables).toHaveLength(4000);
    expect(performance.now() - start).toBeLessThan(2500);
  });
});

function messageOf(text: string): string {
  try {
    parseSnapshot(text, PATH);
  } catch (error) {
    if (error instanceof SnapshotError) return error.message;
    throw error;
  }
  throw new Error('was accepted');
}
