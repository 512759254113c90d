import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import { unavailableLiteral } from '@cdc-migrations/staging-render';
import {
  canonicalType,
  formatSourceType,
  formOf,
  mapType,
  MSSQL_TYPES,
  PG_TYPES,
  resolveEvents,
  SPELLINGS,
  stagingType,
  TYPE_NOTES,
} from '@cdc-migrations/table-defs';
import { code, markdownTable } from './markdown-table.ts';
import { renderPaymentInsert, type Writing } from './payment-insert.ts';

type Facets = Pick<CatalogColumn, 'length' | 'precision' | 'scale'>;

/** Facets of the shown types. A type that is missing here has none. */
const MSSQL_FACETS: Readonly<Record<string, readonly Facets[]>> = {
  decimal: [{ precision: 12, scale: 2 }],
  numeric: [{ precision: 38, scale: 10 }],
  float: [{ precision: 24 }, { precision: 53 }],
  time: [{ scale: 3 }, { scale: 7 }],
  datetime2: [{ scale: 3 }, { scale: 7 }],
  datetimeoffset: [{ scale: 3 }, { scale: 7 }],
  char: [{ length: 4 }],
  nchar: [{ length: 4 }],
  varchar: [{ length: 50 }, { length: 'max' }],
  nvarchar: [{ length: 50 }, { length: 'max' }],
  binary: [{ length: 8 }],
  varbinary: [{ length: 50 }, { length: 'max' }],
};

/** Columns of a PostgreSQL source whose type changes. */
const POSTGRES_COLUMNS: readonly Omit<CatalogColumn, 'name' | 'nullable'>[] = [
  { type: 'numeric' },
  { type: 'numeric', precision: 12, scale: 2 },
  { type: 'character varying', length: 50 },
  { type: 'timestamp with time zone', scale: 3 },
  { type: 'text', array: 1 },
  { type: 'money' },
  { type: 'bit varying', length: 64 },
  { type: 'interval', array: 1 },
  { type: 'text', declaredAs: 'public.mood', declaredKind: 'enum' },
  { type: 'text', declaredAs: 'public.mood', declaredKind: 'enum', array: 1 },
  { type: 'integer', declaredAs: 'public.percent', declaredKind: 'domain' },
  { type: 'point' },
];

const ADVICE_FOR_REFUSED = 'add the column to `ignore_columns`, or override its type';

/** Renders the mapping of each SQL Server type. */
export function renderMssqlTypes(): string {
  return renderMap('mssql', mssqlColumns());
}

function mssqlColumns(): readonly Omit<CatalogColumn, 'name' | 'nullable'>[] {
  return Object.keys(MSSQL_TYPES).flatMap((type) =>
    (MSSQL_FACETS[type] ?? [{}]).map((facets) => ({ type, ...facets })),
  );
}

/** Renders the mapping of some columns of a PostgreSQL source. */
export function renderPostgresTypes(): string {
  return renderMap('postgres', POSTGRES_COLUMNS);
}

function renderMap(
  source: SourceType,
  columns: readonly Omit<CatalogColumn, 'name' | 'nullable'>[],
): string {
  const rows = columns.map((type) => {
    const column: CatalogColumn = { name: 'a', nullable: true, ...type };
    const mapped = mapType(source, column, { overrides: undefined, table: 'dbo.T' });
    return mapped
      ? [
          code(formatSourceType(column)),
          code(mapped.type),
          mapped.exactness,
          mapped.code ? code(mapped.code) : '',
          mapped.reason ?? '',
        ]
      : [code(formatSourceType(column)), '–', 'refused', '', ADVICE_FOR_REFUSED];
  });
  return markdownTable(['source', 'final table', 'exactness', 'code', 'note'], rows);
}

/** Renders the supported column types with alternative spellings and their staging types. */
export function renderTargetTypes(): string {
  const spellingsOf = (type: string) =>
    [...SPELLINGS].flatMap(([spelling, name]) => (name === type ? [spelling] : []));
  const rows = PG_TYPES.map((type) => {
    const canonical = canonicalType(type)!;
    const staging = stagingType({ role: 'source', type: canonical });
    return [
      code(type),
      spellingsOf(type).map(code).join(', '),
      code(staging),
      unavailableLiteral({ role: 'source', type: canonical }) === undefined ? '' : 'yes',
    ];
  });
  return markdownTable(['type', 'other spellings', 'staging column', 'can be unavailable'], rows);
}

/** Renders the codes for inexact columns with advice. */
export function renderTypeNotes(): string {
  const rows = Object.entries(TYPE_NOTES).map(([name, { exactness, says, advice }]) => [
    code(name),
    exactness,
    says,
    advice,
  ]);
  return markdownTable(['code', 'exactness', 'meaning', 'what to do'], rows);
}

/** Writers and forms of events, as named in the configuration. */
const WRITINGS: readonly Writing[] = [
  {},
  { writer: 'bento', events: 'recommended' },
  { writer: 'bento', events: 'debezium' },
  { writer: 'bento', events: 'bento-sql-raw' },
  { writer: 'debezium-jdbc', events: 'recommended' },
  { writer: 'debezium-jdbc', events: 'debezium' },
  { writer: 'confluent-jdbc', events: 'recommended' },
];

/** Describes `writer` and `events`. */
function writingOf({ writer, events }: Writing): string {
  return writer === undefined ? 'no `pipeline`' : `${writer}, ${String(events)}`;
}

/** More columns of PostgreSQL whose values have a form. */
const POSTGRES_FORMED: readonly Omit<CatalogColumn, 'name' | 'nullable'>[] = [
  { type: 'date' },
  { type: 'time without time zone' },
  { type: 'time with time zone' },
  { type: 'timestamp without time zone' },
  { type: 'timestamp without time zone', scale: 3 },
  { type: 'timestamp with time zone' },
  { type: 'interval' },
  { type: 'numeric' },
  { type: 'numeric', precision: 12, scale: 2 },
  { type: 'money' },
  { type: 'bytea' },
];

/** Renders each type with a form: its form for each writer, and its staging type. */
export function renderForms(source: string): string {
  const type = source as SourceType;
  const writings = WRITINGS.filter(({ events }) => type === 'mssql' || events !== 'bento-sql-raw');
  const columns = type === 'mssql' ? mssqlColumns() : POSTGRES_FORMED;
  const rows = columns.flatMap((facts) => {
    const column: CatalogColumn = { name: 'a', nullable: true, ...facts };
    const mapped = mapType(type, column, { overrides: undefined, table: 'dbo.T' });
    if (!mapped) return [];
    const forms = writings.map((writing) => {
      const events = resolveEvents(writing);
      return events && formOf(column, type, mapped.type, events);
    });
    if (forms.every((form) => form === undefined)) return [];
    const staged = { role: 'source', type: mapped.type } as const;
    const sourceType = formatSourceType(column);
    const cells = forms.map((form) => {
      const staging = stagingType({
        ...staged,
        source: { name: 'a', type: sourceType },
        ...(form && { form }),
      });
      return form ? `${form}: ${code(staging)}` : code(staging);
    });
    return [[code(sourceType), ...cells]];
  });
  return markdownTable(['type', ...writings.map(writingOf)], rows);
}

/** Renders the example INSERT of each writer. */
export function renderInserts(): string {
  return WRITINGS.map((writing) => {
    const settings = Object.entries(writing).map(([key, value]) => `${key}: ${value}`);
    const head =
      settings.length === 0 ? 'Without `pipeline`' : `\`pipeline: { ${settings.join(', ')} }\``;
    return `${head}:\n\n\`\`\`sql\n${renderPaymentInsert(writing)}\n\`\`\``;
  }).join('\n\n');
}
