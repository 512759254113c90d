import type { CatalogColumn, SourceType } from '@cdc-migrations/catalog';
import { unavailableLiteral } from '@cdc-migrations/staging-render';
import {
  canonicalType,
  formatSourceType,
  mapType,
  MSSQL_TYPES,
  PG_TYPES,
  SPELLINGS,
  stagingType,
  TYPE_NOTES,
} from '@cdc-migrations/table-defs';
import { code, markdownTable } from './markdown-table.ts';

type Facets = Pick<CatalogColumn, 'length' | 'precision' | 'scale'>;

/** Facets with which a type is shown; one that is not here has none. */
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

/** Columns of a PostgreSQL source whose type is not simply itself. */
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

const ADVICE_FOR_REFUSED = 'ignore the column or override its type';

/** What becomes of each type of SQL Server. */
export function renderMssqlTypes(): string {
  return renderMap(
    'mssql',
    Object.keys(MSSQL_TYPES).flatMap((type) =>
      (MSSQL_FACETS[type] ?? [{}]).map((facets) => ({ type, ...facets })),
    ),
  );
}

/** What becomes of some columns of a PostgreSQL source. */
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
  return markdownTable(['source', 'final table', 'exactness', 'code', ''], rows);
}

/** The types that a column can be given, with other spellings, and what its staging column has. */
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

/** Codes that say why a column is not exact, and what to do about it. */
export function renderTypeNotes(): string {
  const rows = Object.entries(TYPE_NOTES).map(([name, { exactness, says, advice }]) => [
    code(name),
    exactness,
    says,
    advice,
  ]);
  return markdownTable(['code', 'exactness', 'says', 'what to do'], rows);
}
