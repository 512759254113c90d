import type { CatalogColumn } from '@cdc-migrations/catalog';
import { exact, noted, type MappedType } from './mapped-type.ts';

/** Digits of a second that PostgreSQL keeps. */
const SECOND_DIGITS = 6;
/** Bits of a float from which SQL Server stores eight bytes. */
const DOUBLE_BITS = 25;

type MssqlMapping = (column: CatalogColumn) => MappedType;

const always =
  (mapped: MappedType): MssqlMapping =>
  () =>
    mapped;
const LARGE_TEXT = noted('text', 'large-text');
const NOT_CARRIED = noted('text', 'not-carried');

const numeric: MssqlMapping = ({ precision = 18, scale = 0 }) =>
  exact(`numeric(${precision},${scale})`);

const character: MssqlMapping = ({ length = 1 }) => exact(`character(${length})`);

const varying: MssqlMapping = ({ length = 1 }) =>
  length === 'max' ? LARGE_TEXT : noted(`character varying(${length})`, 'length-in-characters');

/** Time types: the seventh digit of the second is rounded away. */
function seconds(before: string, after: string): MssqlMapping {
  return ({ scale = 7 }) => {
    const type = `${before}(${Math.min(scale, SECOND_DIGITS)}) ${after}`;
    return scale > SECOND_DIGITS ? noted(type, 'second-digits') : exact(type);
  };
}

const offset: MssqlMapping = ({ scale = 7 }) =>
  noted(`timestamp(${Math.min(scale, SECOND_DIGITS)}) with time zone`, 'no-offset');

/** Default types by the name in `sys.types`. */
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
  char: character,
  nchar: character,
  varchar: varying,
  nvarchar: varying,
  sysname: always(noted('character varying(128)', 'length-in-characters')),
  text: always(LARGE_TEXT),
  ntext: always(LARGE_TEXT),
  binary: always(exact('bytea')),
  varbinary: always(exact('bytea')),
  image: always(exact('bytea')),
  timestamp: always(noted('bytea', 'changes-always')),
  rowversion: always(noted('bytea', 'changes-always')),
  uniqueidentifier: always(exact('uuid')),
  xml: always(noted('xml', 'xml-text')),
  json: always(exact('jsonb')),
  sql_variant: always(NOT_CARRIED),
  hierarchyid: always(NOT_CARRIED),
  geometry: always(NOT_CARRIED),
  geography: always(NOT_CARRIED),
};
