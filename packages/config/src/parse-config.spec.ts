import { implementationRepo } from './implementation-repo.fixture.ts';
import { ConfigError, parseConfig, parseServiceConfig } from './parse-config.ts';

describe('parseConfig', () => {
  const config = parseConfig(implementationRepo());

  it('reads source groups', () => {
    expect(config.sourceGroups).toHaveLength(1);
    expect(config.sourceGroups[0]).toEqual({
      at: { file: 'source-groups.yaml', keys: ['adopus'] },
      name: 'adopus',
      pattern: 'db-per-tenant',
      type: 'mssql',
      envs: ['nonprod', 'prod'],
      databaseExcludePatterns: [],
      schemaExcludePatterns: [],
      tableIncludePatterns: [],
      tableExcludePatterns: [],
      servers: new Map([
        [
          'default',
          {
            at: { file: 'source-groups.yaml', keys: ['adopus', 'servers', 'default'] },
            name: 'default',
            host: '${MSSQL_HOST}',
            port: '1433',
            user: 'cdc',
            password: '${MSSQL_PASSWORD}',
            encrypt: true,
          },
        ],
      ]),
      sources: [
        {
          at: { file: 'source-groups.yaml', keys: ['adopus', 'sources', 'avansas'] },
          name: 'avansas',
          schemas: ['dbo'],
          environments: new Map([
            [
              'nonprod',
              { env: 'nonprod', server: 'default', database: 'AdOpusTest', targetSinkEnv: 'prod' },
            ],
          ]),
        },
        {
          at: { file: 'source-groups.yaml', keys: ['adopus', 'sources', 'avprod'] },
          name: 'avprod',
          schemas: ['dbo'],
          environments: new Map([
            [
              'prod',
              {
                env: 'prod',
                server: 'default',
                database: 'AdOpusAVProd',
                targetSinkEnv: 'prod',
                customerId: '2a6eafa9',
              },
            ],
          ]),
        },
      ],
    });
  });

  it('takes the environments from the sources if a group lists none', () => {
    expect(config.sinkGroups[0]?.envs).toEqual(['prod', 'local']);
  });

  it('reads a service', () => {
    const at = (...keys: (string | number)[]) => ({
      file: 'services/adopus.yaml',
      keys: ['adopus', ...keys],
    });
    const sinkKeys = ['sinks', 'sink_asma.directory'];
    const actor = [...sinkKeys, 'tables', 'adopus.Actor'];
    expect(config.services).toEqual([
      {
        at: at(),
        name: 'adopus',
        validationDatabase: 'AdOpusTest',
        validationEnv: 'nonprod',
        tables: [
          {
            at: at('source', 'tables', 'dbo.Actor'),
            schema: 'dbo',
            table: 'Actor',
            ignoreColumns: ['Døv'],
            lossyKeyColumns: [],
            keyColumns: ['actno'],
          },
          {
            at: at('source', 'tables', 'dbo.Order.Lines'),
            schema: 'dbo',
            table: 'Order.Lines',
            ignoreColumns: [],
            lossyKeyColumns: [],
          },
        ],
        sinks: [
          {
            at: at(...sinkKeys),
            sink: 'sink_asma.directory',
            tables: [
              {
                at: at(...actor),
                schema: 'adopus',
                table: 'Actor',
                from: { schema: 'dbo', table: 'Actor' },
                targetExists: false,
                columnTemplates: [
                  { at: at(...actor, 'column_templates', 0), template: 'customer_id' },
                  { at: at(...actor, 'column_templates', 1), template: 'deleted', name: 'gone' },
                ],
                transforms: [
                  {
                    at: at(...actor, 'transforms', 0),
                    bloblangRef: 'file://a.blobl',
                    expectedOutputColumn: 'label',
                  },
                ],
                columns: new Map(),
                deleteMode: 'soft',
                backfillFromDefault: [],
                indexes: [],
                renames: new Map([['old', 'new']]),
                hints: { using: new Map(), beforeNotNull: new Map() },
              },
              {
                at: at(...sinkKeys, 'tables', 'public.lines'),
                schema: 'public',
                table: 'lines',
                from: { schema: 'dbo', table: 'Order.Lines' },
                targetExists: true,
                columnTemplates: [],
                transforms: [],
                columns: new Map([['LineNo', 'line_no']]),
                deleteMode: 'hard',
                backfillFromDefault: [],
                indexes: [],
                renames: new Map(),
                hints: { using: new Map(), beforeNotNull: new Map() },
              },
            ],
          },
        ],
      },
    ]);
  });

  it('reads templates', () => {
    const at = (template: string) => ({
      file: 'services/_schemas/column-templates.yaml',
      keys: ['templates', template],
    });
    expect([...config.templates.values()]).toEqual([
      {
        at: at('customer_id'),
        template: 'customer_id',
        name: '_customer_id',
        type: 'uuid',
        notNull: true,
        value: 'meta("customer_id")',
      },
      {
        at: at('deleted'),
        template: 'deleted',
        name: '_deleted',
        type: 'boolean',
        notNull: false,
        default: 'false',
        description: 'Gone',
      },
    ]);
  });

  it('reads type overrides by source group', () => {
    const file = 'services/_schemas/_definitions/source-adopus-type-overrides.yaml';
    const text = 'types: { bit: smallint }\ntables: { dbo.Actor: { columns: { Navn: citext } } }';
    const { typeOverrides } = parseConfig(implementationRepo({ [file]: text }));
    expect(typeOverrides).toEqual(
      new Map([
        [
          'adopus',
          {
            at: { file, keys: [] },
            types: new Map([['bit', 'smallint']]),
            tables: new Map([
              ['dbo.Actor', { types: new Map(), columns: new Map([['Navn', 'citext']]) }],
            ]),
          },
        ],
      ]),
    );
  });

  it('parses the hints of a sink table, and keeps those of a source table unparsed', () => {
    const text = `
service: chat
source:
  validation_database: AdOpusTest
  validation_env: prod
  tables: { dbo.Rooms: { manual_migration_hints: [1, { on: true }] } }
sinks:
  sink_asma.directory:
    tables:
      chat.Rooms:
        from: dbo.Rooms
        renames: { a: b }
        manual_migration_hints:
          renames: [{ from: b, to: c }]
          type_changes: [{ column: c, using: "c::integer" }]
          set_not_null: [{ column: d, pre_sql: UPDATE }]
`;
    const { services } = parseConfig(implementationRepo({ 'services/chat.yaml': text }));
    expect(services[1]?.at.keys).toEqual([]);
    expect(services[1]?.tables[0]?.manualMigrationHints).toEqual(['1', { on: true }]);
    const table = services[1]?.sinks[0]?.tables[0];
    expect([...(table?.renames ?? [])]).toEqual([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    expect(table?.hints).toEqual({
      using: new Map([['c', 'c::integer']]),
      beforeNotNull: new Map([['d', 'UPDATE']]),
    });
  });

  it('accepts every text as a name', () => {
    const names = ['on', 'no', '0123', '1e3', '2024-01-01', '__proto__', 'constructor', 'toString'];
    const text = `
adopus:
  source:
    validation_database: 0123
    validation_env: prod
    tables:
${names.map((name) => `      dbo.${name}: { ignore_columns: [${name}] }`).join('\n')}
  sinks:
    sink_asma.directory:
      tables:
${names
  .map(
    (
      name,
    ) => `        x.${name}: { from: dbo.${name}, target_exists: true, columns: { ${name}: ${name} } }
        y.${name}: { from: dbo.${name}, renames: { ${name}: new } }`,
  )
  .join('\n')}
`;
    const { services } = parseConfig(implementationRepo({ 'services/adopus.yaml': text }));
    const [service] = services;
    expect(service?.validationDatabase).toBe('0123');
    expect(service?.tables.map(({ table }) => table)).toEqual(names);
    expect(service?.tables.map(({ ignoreColumns }) => ignoreColumns[0])).toEqual(names);
    const tables = service?.sinks[0]?.tables ?? [];
    expect(tables.flatMap(({ columns }) => [...columns])).toEqual(names.map((n) => [n, n]));
    expect(tables.flatMap(({ renames }) => [...renames])).toEqual(names.map((n) => [n, 'new']));
  });
});

describe('parseServiceConfig', () => {
  it('returns everything except the source groups, even if their file is invalid', () => {
    const { sourceGroups, ...rest } = parseConfig(implementationRepo());
    expect(sourceGroups).not.toEqual([]);
    for (const text of [undefined, 'no: [yaml', '']) {
      expect(parseServiceConfig(implementationRepo({ 'source-groups.yaml': text }))).toEqual(rest);
    }
  });

  it('throws a ConfigError if sink-groups.yaml is missing', () => {
    const files = implementationRepo({ 'sink-groups.yaml': undefined });
    expect(() => parseServiceConfig(files)).toThrow(ConfigError);
  });
});
