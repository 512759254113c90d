import type { ExecArgument, Expression, Statement } from './ast.ts';
import { parseExpression, parseNameParts } from './parse-expression.ts';
import type { TokenCursor } from './token-cursor.ts';

/** Reads what follows EXEC: a procedure with arguments, or SQL text in parentheses. */
export function parseExec(cursor: TokenCursor, line: number): readonly Statement[] {
  if (cursor.accept('(')) {
    const text = parseExpression(cursor);
    cursor.expect(')');
    return [{ kind: 'exec-text', line, text }];
  }
  let status: string | undefined;
  if (cursor.peek().kind === 'variable' && cursor.peek(1).text === '=') {
    status = cursor.next().value;
    cursor.next();
  }
  const procedure = parseNameParts(cursor);
  const args: ExecArgument[] = [];
  if (seesArgument(cursor)) {
    do args.push(parseArgument(cursor));
    while (cursor.accept(','));
  }
  return [{ kind: 'exec', line, procedure, args, status }];
}

function seesArgument(cursor: TokenCursor): boolean {
  const { kind, text } = cursor.peek();
  if (kind === 'word') return /^(NULL|DEFAULT)$/i.test(text);
  if (kind === 'operator') return text === '-';
  return kind !== 'end';
}

function parseArgument(cursor: TokenCursor): ExecArgument {
  const isNamed = cursor.peek().kind === 'variable' && cursor.peek(1).text === '=';
  const name = isNamed ? cursor.next().value : '';
  if (isNamed) cursor.next();
  const value = parseArgumentValue(cursor);
  const isOutput = cursor.accept('OUTPUT') || cursor.accept('OUT');
  return { name, value, isOutput };
}

/** Arguments are values, not expressions; a bare word is a text. */
function parseArgumentValue(cursor: TokenCursor): Expression | undefined {
  if (cursor.accept('DEFAULT')) return undefined;
  if (!cursor.seesIdentifier()) return parseExpression(cursor);
  const value = cursor.next().value;
  return { kind: 'literal', value, type: { name: 'nvarchar', length: Math.max(1, value.length) } };
}
