import type { Statement } from './ast.ts';
import { parseDataType } from './parse-data-type.ts';
import { parseExec } from './parse-exec.ts';
import { parseExpression, parseExpressions, parseNameParts } from './parse-expression.ts';
import { parseValues } from './parse-from.ts';
import { parsePredicate } from './parse-predicate.ts';
import { parseQuery } from './parse-query.ts';
import { createTokenCursor, type TokenCursor } from './token-cursor.ts';

type ParseStatement = (cursor: TokenCursor, line: number) => readonly Statement[];

/** What begins a statement; the word itself is taken already. */
const STATEMENTS: Readonly<Record<string, ParseStatement>> = {
  SET: parseSet,
  DECLARE: parseDeclare,
  CREATE: parseCreateTable,
  DROP: parseDropTable,
  INSERT: parseInsert,
  DELETE: parseDelete,
  IF: parseIf,
  WHILE: (cursor, line) => [
    { kind: 'while', line, condition: parsePredicate(cursor), body: parseOne(cursor) },
  ],
  BEGIN: parseBegin,
  COMMIT: (cursor, line) => endTransaction(cursor, line, 'commit'),
  ROLLBACK: (cursor, line) => endTransaction(cursor, line, 'rollback'),
  SAVE: (cursor, line) => endTransaction(cursor, line, 'save'),
  EXEC: parseExec,
  EXECUTE: parseExec,
  USE: (cursor, line) => [{ kind: 'use', line, database: cursor.identifier() }],
  PRINT: (cursor, line) => [{ kind: 'print', line, expression: parseExpression(cursor) }],
  RAISERROR: parseRaiserror,
  WAITFOR: parseWaitfor,
  RETURN: parseReturn,
};

/** The statements of a batch. Throws errors 102, 105, 113, 156 and 4145 as SQL Server, and runs nothing before. */
export function parseBatch(batch: string): readonly Statement[] {
  const cursor = createTokenCursor(batch);
  // A procedure call needs no EXEC where it begins the batch.
  const first = cursor.seesIdentifier() && !isStatement(cursor) ? parseExec(cursor, 1) : [];
  return [...first, ...parseUntil(cursor, () => cursor.peek().kind === 'end')];
}

function isStatement(cursor: TokenCursor): boolean {
  const { kind, text } = cursor.peek();
  return kind === 'word' && (text.toUpperCase() in STATEMENTS || /^throw$/i.test(text));
}

function parseUntil(cursor: TokenCursor, isOver: () => boolean): readonly Statement[] {
  const statements: Statement[] = [];
  while (cursor.accept(';')) continue;
  while (!isOver()) {
    statements.push(...parseStatement(cursor));
    while (cursor.accept(';')) continue;
  }
  return statements;
}

/** One statement; a DECLARE of several variables is several. */
function parseStatement(cursor: TokenCursor): readonly Statement[] {
  const { kind, text, line } = cursor.peek();
  const upper = kind === 'word' ? text.toUpperCase() : '';
  if (upper === 'SELECT' || upper === 'WITH' || text === '(') {
    return [{ kind: 'select', line, query: parseQuery(cursor) }];
  }
  const parse = STATEMENTS[upper];
  if (parse) {
    cursor.next();
    return parse(cursor, line);
  }
  if (upper === 'THROW') {
    cursor.next();
    const args = cursor.peek().kind === 'number' ? parseExpressions(cursor) : [];
    return [{ kind: 'throw', line, args }];
  }
  throw cursor.syntaxError();
}

function parseOne(cursor: TokenCursor): Statement {
  while (cursor.accept(';')) continue;
  const { line } = cursor.peek();
  const statements = parseStatement(cursor);
  const [only] = statements;
  return statements.length === 1 && only ? only : { kind: 'block', line, statements };
}

function parseSet(cursor: TokenCursor, line: number): readonly Statement[] {
  if (cursor.peek().kind === 'variable') {
    const variable = cursor.next().value;
    cursor.expect('=');
    return [{ kind: 'set', line, variable, expression: parseExpression(cursor) }];
  }
  const first = cursor.peek().text.toUpperCase();
  do cursor.next();
  while (!isOptionOver(cursor, first));
  return [{ kind: 'set-option', line }];
}

/** An option ends with its value: ON, OFF, a number, a string, or the words of an isolation level. */
function isOptionOver(cursor: TokenCursor, option: string): boolean {
  const { kind, text } = cursor.peek();
  if (kind === 'end' || text === ';') return true;
  if (option === 'TRANSACTION')
    return !/^(ISOLATION|LEVEL|READ|UN|COMMITTED|UNCOMMITTED|REPEATABLE|SNAPSHOT|SERIALIZABLE)$/i.test(
      text,
    );
  if (kind === 'number' || kind === 'string' || kind === 'unicode-string') return false;
  if (/^(ON|OFF|MDY|DMY|YMD|LOW|NORMAL|HIGH|US_ENGLISH|-)$/i.test(text)) return false;
  if (text === ',') return false;
  return !(cursor.seesIdentifier() && option === 'STATISTICS');
}

function parseDeclare(cursor: TokenCursor, line: number): readonly Statement[] {
  const statements: Statement[] = [];
  do {
    const token = cursor.next();
    if (token.kind !== 'variable') throw cursor.syntaxError();
    cursor.accept('AS');
    if (cursor.accept('TABLE')) {
      statements.push({
        kind: 'create-table',
        line,
        name: token.text,
        columns: parseColumns(cursor),
      });
      continue;
    }
    const type = parseDataType(cursor, 'declaration');
    const value = cursor.accept('=') ? parseExpression(cursor) : undefined;
    statements.push({ kind: 'declare', line, name: token.value, type, value });
  } while (cursor.accept(','));
  return statements;
}

function parseColumns(
  cursor: TokenCursor,
): Extract<Statement, { kind: 'create-table' }>['columns'] {
  const columns: { name: string; type: ReturnType<typeof parseDataType> }[] = [];
  cursor.expect('(');
  do {
    const name = cursor.identifier();
    columns.push({ name, type: parseDataType(cursor, 'declaration') });
    if (cursor.accept('COLLATE')) cursor.next();
    cursor.accept('NOT');
    cursor.accept('NULL');
    if (cursor.accept('PRIMARY', 'KEY')) cursor.accept('CLUSTERED');
    cursor.accept('UNIQUE');
  } while (cursor.accept(','));
  cursor.expect(')');
  return columns;
}

/** Only temporary tables can be made. */
function parseCreateTable(cursor: TokenCursor, line: number): readonly Statement[] {
  cursor.expect('TABLE');
  if (!cursor.peek().text.startsWith('#')) throw cursor.syntaxError();
  return [{ kind: 'create-table', line, name: cursor.identifier(), columns: parseColumns(cursor) }];
}

function parseDropTable(cursor: TokenCursor, line: number): readonly Statement[] {
  cursor.expect('TABLE');
  const ifExists = cursor.accept('IF', 'EXISTS');
  const name = parseNameParts(cursor).at(-1) ?? '';
  return [{ kind: 'drop-table', line, name, ifExists }];
}

function parseTarget(cursor: TokenCursor): readonly string[] {
  return cursor.peek().kind === 'variable' ? [cursor.next().text] : parseNameParts(cursor);
}

function parseInsert(cursor: TokenCursor, line: number): readonly Statement[] {
  cursor.accept('INTO');
  const table = parseTarget(cursor);
  const columns: string[] = [];
  if (cursor.accept('(')) {
    do columns.push(cursor.identifier());
    while (cursor.accept(','));
    cursor.expect(')');
  }
  const source = cursor.sees('VALUES') ? parseValues(cursor) : parseQuery(cursor);
  return [{ kind: 'insert', line, table, columns, source }];
}

function parseDelete(cursor: TokenCursor, line: number): readonly Statement[] {
  cursor.accept('FROM');
  const table = parseTarget(cursor);
  const where = cursor.accept('WHERE') ? parsePredicate(cursor) : undefined;
  return [{ kind: 'delete', line, table, where }];
}

function parseIf(cursor: TokenCursor, line: number): readonly Statement[] {
  const condition = parsePredicate(cursor);
  const then = parseOne(cursor);
  while (cursor.sees(';', 'ELSE')) cursor.next();
  const otherwise = cursor.accept('ELSE') ? parseOne(cursor) : undefined;
  return [{ kind: 'if', line, condition, then, otherwise }];
}

function parseBegin(cursor: TokenCursor, line: number): readonly Statement[] {
  if (cursor.accept('TRY')) {
    const attempt = parseUntil(cursor, () => cursor.sees('END', 'TRY'));
    cursor.expect('END', 'TRY', 'BEGIN', 'CATCH');
    const rescue = parseUntil(cursor, () => cursor.sees('END', 'CATCH'));
    cursor.expect('END', 'CATCH');
    return [{ kind: 'try', line, attempt, rescue }];
  }
  if (cursor.sees('TRAN') || cursor.sees('TRANSACTION')) {
    return endTransaction(cursor, line, 'begin');
  }
  const statements = parseUntil(cursor, () => cursor.sees('END'));
  cursor.expect('END');
  return [{ kind: 'block', line, statements }];
}

function endTransaction(
  cursor: TokenCursor,
  line: number,
  action: 'begin' | 'commit' | 'rollback' | 'save',
): readonly Statement[] {
  if (cursor.accept('TRANSACTION') || cursor.accept('TRAN')) {
    if (cursor.seesIdentifier()) cursor.next();
  }
  return [{ kind: 'transaction', line, action }];
}

function parseRaiserror(cursor: TokenCursor, line: number): readonly Statement[] {
  cursor.expect('(');
  const args = parseExpressions(cursor);
  cursor.expect(')');
  if (cursor.accept('WITH')) cursor.next();
  return [{ kind: 'raiserror', line, args }];
}

function parseWaitfor(cursor: TokenCursor, line: number): readonly Statement[] {
  cursor.expect('DELAY');
  return [{ kind: 'wait', line, delay: parseExpression(cursor) }];
}

function parseReturn(cursor: TokenCursor, line: number): readonly Statement[] {
  if (cursor.peek().kind === 'number') parseExpression(cursor);
  return [{ kind: 'return', line }];
}
