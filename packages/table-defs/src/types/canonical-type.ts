/** Alternative names of types, with the name that `format_type` prints. */
export const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['int', 'integer'],
  ['int4', 'integer'],
  ['int2', 'smallint'],
  ['int8', 'bigint'],
  ['bool', 'boolean'],
  ['decimal', 'numeric'],
  ['float4', 'real'],
  ['float8', 'double precision'],
  ['float', 'double precision'],
  ['varchar', 'character varying'],
  ['char', 'character'],
  ['varbit', 'bit varying'],
  ['timestamptz', 'timestamp with time zone'],
  ['timestamp', 'timestamp without time zone'],
  ['timetz', 'time with time zone'],
  ['time', 'time without time zone'],
]);

/** Minimum and maximum of a facet. */
type Limits = readonly [number, number];

const LENGTH: Limits = [1, 10_485_760];
const BITS: Limits = [1, 83_886_080];
const PRECISION: Limits = [1, 1000];
const SCALE: Limits = [-1000, 1000];
const SECOND_DIGITS: Limits = [0, 6];

/** Size and alignment of a fixed-width type in bytes. Other types are aligned only if they are long. */
export type Width = readonly [bytes: number, alignment: number] | 'variable';

interface TypeFacts {
  readonly facets: readonly Limits[];
  readonly width: Width;
}

/** Supported column types. */
const TYPES: ReadonlyMap<string, TypeFacts> = new Map<string, TypeFacts>([
  ['smallint', { facets: [], width: [2, 2] }],
  ['integer', { facets: [], width: [4, 4] }],
  ['bigint', { facets: [], width: [8, 8] }],
  ['numeric', { facets: [PRECISION, SCALE], width: 'variable' }],
  ['real', { facets: [], width: [4, 4] }],
  ['double precision', { facets: [], width: [8, 8] }],
  ['boolean', { facets: [], width: [1, 1] }],
  ['character varying', { facets: [LENGTH], width: 'variable' }],
  ['character', { facets: [LENGTH], width: 'variable' }],
  ['bpchar', { facets: [], width: 'variable' }],
  ['text', { facets: [], width: 'variable' }],
  ['bytea', { facets: [], width: 'variable' }],
  ['uuid', { facets: [], width: [16, 1] }],
  ['date', { facets: [], width: [4, 4] }],
  ['time without time zone', { facets: [SECOND_DIGITS], width: [8, 8] }],
  ['time with time zone', { facets: [SECOND_DIGITS], width: [12, 8] }],
  ['timestamp without time zone', { facets: [SECOND_DIGITS], width: [8, 8] }],
  ['timestamp with time zone', { facets: [SECOND_DIGITS], width: [8, 8] }],
  ['interval', { facets: [SECOND_DIGITS], width: [16, 8] }],
  ['json', { facets: [], width: 'variable' }],
  ['jsonb', { facets: [], width: 'variable' }],
  ['xml', { facets: [], width: 'variable' }],
  ['bit', { facets: [BITS], width: 'variable' }],
  ['bit varying', { facets: [BITS], width: 'variable' }],
  ['inet', { facets: [], width: 'variable' }],
  ['cidr', { facets: [], width: 'variable' }],
  ['macaddr', { facets: [], width: [6, 4] }],
  ['macaddr8', { facets: [], width: [8, 4] }],
  ['int4range', { facets: [], width: 'variable' }],
  ['int8range', { facets: [], width: 'variable' }],
  ['numrange', { facets: [], width: 'variable' }],
  ['daterange', { facets: [], width: 'variable' }],
  ['tsrange', { facets: [], width: 'variable' }],
  ['tstzrange', { facets: [], width: 'variable' }],
]);

/** Supported column types as printed by `format_type`, without facets. */
export const PG_TYPES: readonly string[] = [...TYPES.keys()];

/** Returns the width of a parsed type. */
export function widthOf({ base, array }: PgType): Width {
  return (!array && TYPES.get(base)?.width) || 'variable';
}

/** A parsed PostgreSQL type: `numeric(10,2)[]` is `{ base: 'numeric', facets: [10, 2], array: true }`. */
export interface PgType {
  /** As printed by `format_type`, without facets. */
  readonly base: string;
  readonly facets: readonly number[];
  readonly array: boolean;
}

const TYPE =
  /^([a-z][a-z0-9_ ]*?) ?(?:\( ?(-?\d+(?: ?, ?-?\d+)*) ?\))? ?((?:with|without) time zone)? ?((?:\[ ?\] ?)*)$/;

/** Maximum bits of a `float(n)` that is real. */
const REAL_BITS = 24;
const FLOAT_BITS: Limits = [1, 53];

const parsed = new Map<string, PgType | undefined>();

/**
 * Parses a type in any spelling of PostgreSQL. Returns undefined for unsupported types and for facets that PostgreSQL
 * refuses.
 */
export function parsePgType(text: string): PgType | undefined {
  if (!parsed.has(text)) parsed.set(text, parse(text));
  return parsed.get(text);
}

/**
 * Spells a type as `format_type` does: `varchar(50)` becomes `character varying(50)`. Returns undefined for a type that
 * `parsePgType` does not support.
 */
export function canonicalType(text: string): string | undefined {
  const type = parsePgType(text);
  return type && formatPgType(type);
}

/** Formats a type: `timestamp(3) without time zone`. Facets come before the words `with time zone`. */
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
  const [, name = '', facetText, zone, brackets] = match;
  const facets = facetText === undefined ? [] : facetText.split(',').map(Number);
  const named = resolveName(zone ? `${name} ${zone}` : name, facets);
  const limits = TYPES.get(named.base)?.facets;
  if (!limits || named.facets.length > limits.length) return undefined;
  if (!named.facets.every((facet, index) => isWithin(facet, limits[index]!))) return undefined;
  return { ...completeFacets(named), array: Boolean(brackets) };
}

/** Resolves an alternative name. `bpchar(4)` and `float(24)` are different types depending on their facets. */
function resolveName(name: string, facets: readonly number[]): Omit<PgType, 'array'> {
  const [first] = facets;
  if (name === 'bpchar' && first !== undefined) return { base: 'character', facets };
  if (name === 'float' && facets.length === 1 && isWithin(first!, FLOAT_BITS)) {
    return { base: first! <= REAL_BITS ? 'real' : 'double precision', facets: [] };
  }
  return { base: SPELLINGS.get(name) ?? name, facets };
}

/** Adds PostgreSQL's default facets: `character` is `character(1)`, `numeric(10)` is `numeric(10,0)`. */
function completeFacets({ base, facets }: Omit<PgType, 'array'>): Omit<PgType, 'array'> {
  if ((base === 'character' || base === 'bit') && facets.length === 0) return { base, facets: [1] };
  if (base === 'numeric' && facets.length === 1) return { base, facets: [facets[0]!, 0] };
  return { base, facets };
}

function isWithin(value: number, [lowest, highest]: Limits): boolean {
  return value >= lowest && value <= highest;
}
