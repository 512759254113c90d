/** Other spellings of a type's name, and the one that `format_type` prints. */
export const SPELLINGS: Readonly<Record<string, string>> = {
  int: 'integer',
  int4: 'integer',
  int2: 'smallint',
  int8: 'bigint',
  bool: 'boolean',
  decimal: 'numeric',
  float4: 'real',
  float8: 'double precision',
  float: 'double precision',
  varchar: 'character varying',
  char: 'character',
  bpchar: 'character',
  varbit: 'bit varying',
  timestamptz: 'timestamp with time zone',
  timestamp: 'timestamp without time zone',
  timetz: 'time with time zone',
  time: 'time without time zone',
};

/** Types that a column can be given, and the number of facets that each takes. */
const FACETS: Readonly<Record<string, number>> = {
  smallint: 0,
  integer: 0,
  bigint: 0,
  numeric: 2,
  real: 0,
  'double precision': 0,
  boolean: 0,
  'character varying': 1,
  character: 1,
  text: 0,
  bytea: 0,
  uuid: 0,
  date: 0,
  'time without time zone': 1,
  'time with time zone': 1,
  'timestamp without time zone': 1,
  'timestamp with time zone': 1,
  interval: 1,
  json: 0,
  jsonb: 0,
  xml: 0,
  bit: 1,
  'bit varying': 1,
  inet: 0,
  cidr: 0,
  macaddr: 0,
  macaddr8: 0,
  int4range: 0,
  int8range: 0,
  numrange: 0,
  daterange: 0,
  tsrange: 0,
  tstzrange: 0,
};

/** Types that a column can be given, as `format_type` spells them, without facets. */
export const PG_TYPES: readonly string[] = Object.keys(FACETS);

/** A PostgreSQL type taken apart: `numeric(10,2)[]` is `{ base: 'numeric', facets: [10, 2], array: true }`. */
export interface PgType {
  /** As `format_type` spells it, without facets. */
  readonly base: string;
  readonly facets: readonly number[];
  readonly array: boolean;
}

const TYPE =
  /^([a-z][a-z0-9_ ]*?)\s*(?:\(([\d\s,]*)\))?\s*((?:with|without) time zone)?\s*((?:\[\s*\]\s*)*)$/;

const parsed = new Map<string, PgType | undefined>();

/** The type that a text names, in any spelling that PostgreSQL takes; undefined for one that we do not map to. */
export function parsePgType(text: string): PgType | undefined {
  if (!parsed.has(text)) parsed.set(text, parse(text));
  return parsed.get(text);
}

/** The spelling of `format_type`: `varchar(50)` is `character varying(50)`; undefined as with `parsePgType`. */
export function canonicalType(text: string): string | undefined {
  const type = parsePgType(text);
  return type && formatPgType(type);
}

/** `timestamp(3) without time zone`: facets stand before the words `with time zone`. */
export function formatPgType({ base, facets, array }: PgType): string {
  const suffix = array ? '[]' : '';
  if (facets.length === 0) return base + suffix;
  const zone = base.search(/ with(out)? time zone$/);
  const at = zone < 0 ? base.length : zone;
  return `${base.slice(0, at)}(${facets.join(',')})${base.slice(at)}${suffix}`;
}

function parse(text: string): PgType | undefined {
  const match = TYPE.exec(text.trim().toLowerCase().replace(/\s+/g, ' '));
  if (!match) return undefined;
  const [, name = '', facetText, zone, brackets = ''] = match;
  const spelled = zone ? `${name} ${zone}` : name;
  const base = SPELLINGS[spelled] ?? spelled;
  const allowed = FACETS[base];
  if (allowed === undefined) return undefined;
  const given = facetText === undefined ? [] : facetText.split(',').map(Number);
  if (given.length > allowed || given.some((facet) => !Number.isInteger(facet))) return undefined;
  return { base, facets: completeFacets(base, given), array: brackets !== '' };
}

/** Facets that PostgreSQL adds by itself: `character` is `character(1)`, `numeric(10)` is `numeric(10,0)`. */
function completeFacets(base: string, facets: readonly number[]): readonly number[] {
  if ((base === 'character' || base === 'bit') && facets.length === 0) return [1];
  if (base === 'numeric' && facets.length === 1) return [facets[0]!, 0];
  return facets;
}
