import type { CatalogColumn } from '@cdc-migrations/catalog';
import { exact, lossy, unsupported, widened, type MappedType } from './mapped-type.ts';

/** Digits of a second that PostgreSQL keeps. */
const SECOND_DIGITS = 6;
/** Bits of a float from which SQL Server stores eight bytes. */
const DOUBLE_BITS = 25;

type MssqlMapping = (column: CatalogColumn) => MappedType;

const always =
  (mapped: MappedType): MssqlMapping =>
  () =>
    mapped;
const LARGE_TEXT = lossy('text', 'NUL and unpaired surrogates cannot be stored; 1 GB at most');
const NOT_CAPTURED = 'the change feed does not carry this type: the column stays NULL';

const numeric: MssqlMapping = ({ precision = 18, scale = 0 }) =>
  exact(`numeric(${precision},${scale})`);

const character: MssqlMapping = ({ length = 1 }) => exact(`character(${length})`);

const varying: MssqlMapping = ({ length = 1 }) =>
  length === 'max'
    ? LARGE_TEXT
    : widened(
        `character varying(${length})`,
        'the length counts characters, at the source code units or bytes',
      );

/** Time types: the seventh digit of the second is rounded away. */
function seconds(before: string, after: string): MssqlMapping {
  return ({ scale = 7 }) => {
    const type = `${before}(${Math.min(scale, SECOND_DIGITS)}) ${after}`;
    return scale > SECOND_DIGITS ? lossy(type, 'seconds are rounded to 6 digits') : exact(type);
  };
}

const offset: MssqlMapping = ({ scale = 7 }) =>
  lossy(
    `timestamp(${Math.min(scale, SECOND_DIGITS)}) with time zone`,
    'the same instant, without the offset it was written with',
  );

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
  sysname: always(
    widened('character varying(128)', 'the length counts characters, at the source code units'),
  ),
  text: always(LARGE_TEXT),
  ntext: always(LARGE_TEXT),
  binary: always(exact('bytea')),
  varbinary: always(exact('bytea')),
  image: always(exact('bytea')),
  timestamp: always(exact('bytea', 'changes at every update: consider ignore_columns')),
  rowversion: always(exact('bytea', 'changes at every update: consider ignore_columns')),
  uniqueidentifier: always(exact('uuid')),
  xml: always(
    lossy('xml', 'has no equality; insignificant white space and declarations may differ'),
  ),
  json: always(exact('jsonb')),
  sql_variant: always(unsupported('text', NOT_CAPTURED)),
  hierarchyid: always(unsupported('text', NOT_CAPTURED)),
  geometry: always(unsupported('text', NOT_CAPTURED)),
  geography: always(unsupported('text', NOT_CAPTURED)),
};
