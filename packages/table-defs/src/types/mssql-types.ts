import type { CatalogColumn } from '@cdc-migrations/catalog';
import { exact, noted, type MappedType } from './mapped-type.ts';
import { TYPE_NOTES } from './type-notes.ts';

/** Fractional digits of seconds in PostgreSQL. */
const SECOND_DIGITS = 6;
/** Minimum bits of a float that SQL Server stores in eight bytes. */
const DOUBLE_BITS = 25;

/** Maps a type of SQL Server with the facets of the column. */
export type MssqlMapping = (column: CatalogColumn) => MappedType;

const always =
  (mapped: MappedType): MssqlMapping =>
  () =>
    mapped;
const LARGE_BINARY = noted('bytea', 'large-binary');
const NOT_CARRIED = noted('text', 'not-carried');

const numeric: MssqlMapping = ({ precision = 18, scale = 0 }) =>
  exact(`numeric(${precision},${scale})`);

/** Notes for text of a code page, which has no surrogates, and for UTF-16 text. */
const NARROW = 'NUL cannot be stored';
const WIDE = 'NUL and unpaired surrogates cannot be stored';

function character(says: string, units: string): MssqlMapping {
  const reason = `${says}; padded to the length in characters, but the source pads to the length in ${units}`;
  return ({ length = 1 }) => noted(`character(${length})`, 'text-values', reason);
}

function varying(says: string): MssqlMapping {
  return ({ length = 1 }) =>
    length === 'max'
      ? noted('text', 'large-text', `${says}; 1 GB at most`)
      : noted(`character varying(${length})`, 'text-values', says);
}

const binary: MssqlMapping = ({ length = 1 }) => (length === 'max' ? LARGE_BINARY : exact('bytea'));

/** Maps time types. The seventh fractional digit is truncated. */
function seconds(before: string, after: string): MssqlMapping {
  return ({ scale = 7 }) => {
    const type = `${before}(${Math.min(scale, SECOND_DIGITS)}) ${after}`;
    return scale > SECOND_DIGITS ? noted(type, 'second-digits') : exact(type);
  };
}

const offset: MssqlMapping = ({ scale = 7 }) => {
  const says = TYPE_NOTES['no-offset'].says;
  return scale > SECOND_DIGITS
    ? noted(
        'timestamp(6) with time zone',
        'second-digits',
        `${says}, and fractional digits after the sixth are truncated`,
      )
    : noted(`timestamp(${scale}) with time zone`, 'no-offset');
};

/** Default mappings by the name in `sys.types`. */
export const MSSQL_TYPES: Readonly<Record<string, MssqlMapping>> = {
  bit: always(exact('boolean')),
  tinyint: always(exact('smallint')),
  smallint: always(exact('smallint')),
  int: always(exact('integer')),
  bigint: always(exact('bigint')),
  decimal: numeric,
  numeric,
  money: always(exact('numeric(19,4)')),
  smallmoney: always(exact('numeric(10,4)')),
  real: always(exact('real')),
  float: ({ precision = 53 }) => exact(precision < DOUBLE_BITS ? 'real' : 'double precision'),
  date: always(exact('date')),
  time: seconds('time', 'without time zone'),
  smalldatetime: always(exact('timestamp(0) without time zone')),
  datetime: always(exact('timestamp(3) without time zone')),
  datetime2: seconds('timestamp', 'without time zone'),
  datetimeoffset: offset,
  char: character(NARROW, 'bytes'),
  nchar: character(WIDE, 'code units'),
  varchar: varying(NARROW),
  nvarchar: varying(WIDE),
  sysname: always(noted('character varying(128)', 'text-values')),
  text: always(noted('text', 'large-text', `${NARROW}; 1 GB at most`)),
  ntext: always(noted('text', 'large-text')),
  binary: always(exact('bytea')),
  varbinary: binary,
  image: always(LARGE_BINARY),
  timestamp: always(noted('bytea', 'changes-always')),
  rowversion: always(noted('bytea', 'changes-always')),
  uniqueidentifier: always(exact('uuid')),
  xml: always(noted('xml', 'xml-text')),
  json: always(noted('jsonb', 'json-values')),
  sql_variant: always(NOT_CARRIED),
  hierarchyid: always(NOT_CARRIED),
  geometry: always(NOT_CARRIED),
  geography: always(NOT_CARRIED),
};
