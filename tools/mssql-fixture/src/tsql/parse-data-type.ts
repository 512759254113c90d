import { raise } from '../engine/sql-server-error.ts';
import { isTypeName, type SqlType } from '../tds/sql-type.ts';
import type { TokenCursor } from './token-cursor.ts';

const ALIASES: Readonly<Record<string, SqlType>> = {
  sysname: { name: 'nvarchar', length: 128 },
  integer: { name: 'int' },
  dec: { name: 'decimal' },
  rowversion: { name: 'timestamp' },
  character: { name: 'char' },
  hierarchyid: { name: 'varbinary', length: 892 },
  geometry: { name: 'varbinary', length: -1 },
  geography: { name: 'varbinary', length: -1 },
};

const DEFAULT_CAST_LENGTH = 30;

/** What a type without a length has: 1 in a declaration, 30 in CAST and CONVERT. */
export type LengthContext = 'declaration' | 'cast';

/** Reads a data type, `nvarchar(max)` or `decimal(10, 2)`. Throws 102, and 243 for a type that there is not. */
export function parseDataType(cursor: TokenCursor, context: LengthContext): SqlType {
  if (cursor.sees('sys', '.') || cursor.sees('dbo', '.')) {
    cursor.next();
    cursor.next();
  }
  const token = cursor.next();
  const facets = parseFacets(cursor);
  const type = sqlType(token.value, facets, context);
  if (!type) throw raise(243, [token.value], { line: token.line });
  return type;
}

/** The numbers in the parentheses after a type's name; max is -1. */
function parseFacets(cursor: TokenCursor): readonly number[] {
  const facets: number[] = [];
  if (!cursor.accept('(')) return facets;
  do {
    if (cursor.accept('max')) facets.push(-1);
    else if (cursor.peek().kind === 'number') facets.push(Number(cursor.next().text));
    else throw cursor.syntaxError();
  } while (cursor.accept(','));
  cursor.expect(')');
  return facets;
}

/** The type of a name and the numbers after it; undefined for a name that is none. */
export function sqlType(
  written: string,
  facets: readonly number[],
  context: LengthContext,
): SqlType | undefined {
  const lower = written.toLowerCase();
  const alias = ALIASES[lower];
  if (alias?.length !== undefined) return alias;
  const name = alias?.name ?? lower;
  if (!isTypeName(name)) return undefined;
  const [first, second] = facets;
  if (/char|binary/.test(name)) {
    return { name, length: first ?? (context === 'cast' ? DEFAULT_CAST_LENGTH : 1) };
  }
  if (name === 'decimal' || name === 'numeric') {
    return { name, precision: first ?? 18, scale: second ?? 0 };
  }
  if (name === 'time' || name === 'datetime2' || name === 'datetimeoffset') {
    return { name, scale: first ?? 7 };
  }
  return { name };
}
