import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { INTERNAL_SQLSTATES } from './error-table.ts';

/** A message in the code of the product. */
export interface Message {
  /** The part that says what is wrong, with `…` for values. */
  readonly text: string;
  /** The part that says what to do: the hint in SQL, otherwise what follows a semicolon. */
  readonly advice?: string;
  readonly isSql: boolean;
}

interface Source {
  readonly path: string;
  readonly text: string;
}

const CODE = /^packages\/[^/]+\/(src|templates)\/(?!.*\.(spec|fixture)\.ts$).*\.(ts|hbs)$/;

/** Reads the messages that commands throw and SQL raises. Errors with a class of their own have no entry. */
export function readMessages(root: string): readonly Message[] {
  const paths = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'packages'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  const sources = paths
    .split('\n')
    .filter((path) => CODE.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  const code = readCode(sources.filter(({ path }) => path.endsWith('.ts')));
  const messages = [
    ...readThrown(code).map((text) => buildMessage(text, false)),
    ...sources.flatMap(({ text }) => readRaised(text, code)),
  ].filter(({ text }) => LETTER.test(text));
  return [
    ...new Map(messages.map((message) => [`${message.text} ${message.advice}`, message])).values(),
  ];
}

const LETTER = /\p{L}/u;

function buildMessage(whole: string, isSql: boolean, hint?: string): Message {
  const [text = '', ...rest] = whole.split('; ');
  const advice = hint ?? rest.join('; ');
  return { text: shorten(text), isSql, ...(LETTER.test(advice) && { advice }) };
}

/** Leaves out the file, line and target in front of a message. Writes a name with dots as one value. */
function shorten(text: string): string {
  return text
    .trim()
    .replaceAll('{…}', VALUE)
    .replaceAll(/"…"[.]"…"|…(?:[.]…)+/g, VALUE)
    .replace(/^(?:(?:… )*…:)+ /, '')
    .replace(/: …$|:$/, '');
}

/** A `RAISE` of SQL, or a function that returns the reason for one, up to the semicolon at the end of a line. */
const RAISE = /(?:RAISE (?:EXCEPTION|[a-z_]+)\b|RETURN (?=format\('[\w -]+ ))([^]*?);\s*\n/g;
const LITERAL = "(?:format\\()?'((?:[^']|'')*)'";
const MESSAGE = new RegExp(`^\\s*${LITERAL}|MESSAGE = ${LITERAL}`);
const HINT = new RegExp(`HINT = ${LITERAL}`);
/** A message that a view gives to a template. */
const OF_VIEW = /MESSAGE = \w+ \|\| \{\{literal (?:\w+\.)?(\w+)\}\}/;
/** SQLSTATEs of one message, which have entries of their own, and those that never leave the database. */
const OWN_STATE = new RegExp(`ERRCODE = '(?:\\$|${INTERNAL_SQLSTATES.join('|')})`);

function readRaised(source: string, code: Code): readonly Message[] {
  return [...source.matchAll(RAISE)]
    .map(([, statement = '']) => statement)
    .filter((statement) => !OWN_STATE.test(statement))
    .flatMap((statement) => {
      const [, ofView] = OF_VIEW.exec(statement) ?? [];
      const [, first, named] = MESSAGE.exec(statement) ?? [];
      const [, hint] = HINT.exec(statement) ?? [];
      const texts = ofView ? readProperty(ofView, code) : [formatted(first ?? named ?? '')];
      return texts.map((text) => buildMessage(text, true, hint && formatted(hint)));
    });
}

const VALUE = '…';

function formatted(literal: string): string {
  return literal.replaceAll("''", "'").replaceAll(/%(\d\$)?[IsL]?|\{\{[^}]*\}\}/g, VALUE);
}

/** Errors of commands without a class of their own: of a command, and of the value of an option. */
const THROWN = new Set(['CommandError', 'InvalidArgumentError']);

interface Code {
  readonly nodes: readonly ts.Node[];
  readonly functions: ReadonlyMap<string, readonly ts.FunctionDeclaration[]>;
}

function readCode(sources: readonly Source[]): Code {
  const files = sources.map(({ path, text }) =>
    ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true),
  );
  const functions = new Map<string, ts.FunctionDeclaration[]>();
  for (const declared of files.flatMap(({ statements }) =>
    statements.filter(ts.isFunctionDeclaration),
  )) {
    const name = declared.name!.text;
    functions.set(name, [...(functions.get(name) ?? []), declared]);
  }
  return { nodes: files.flatMap(listNodes), functions };
}

function listNodes(node: ts.Node): readonly ts.Node[] {
  const nodes: ts.Node[] = [node];
  node.forEachChild((child) => void nodes.push(...listNodes(child)));
  return nodes;
}

function readThrown(code: Code): readonly string[] {
  return code.nodes
    .filter(ts.isNewExpression)
    .filter(({ expression }) => THROWN.has(expression.getText()))
    .flatMap(({ arguments: given }) => (given?.[0] ? textsOf(given[0], code) : []));
}

function readProperty(name: string, code: Code): readonly string[] {
  return code.nodes
    .filter(ts.isPropertyAssignment)
    .filter((property) => property.name.getText() === name)
    .flatMap(({ initializer }) => textsOf(initializer, code));
}

/** Lists the texts that an expression can be. */
function textsOf(node: ts.Expression, code: Code): readonly string[] {
  const of = (part: ts.Expression) => textsOf(part, code);
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return of(node.expression);
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap(of);
  if (ts.isConditionalExpression(node)) return [...of(node.whenTrue), ...of(node.whenFalse)];
  if (ts.isBinaryExpression(node)) {
    if (node.operatorToken.kind === ts.SyntaxKind.PlusToken)
      return combine([of(node.left), of(node.right)]);
    const isAnd = node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken;
    return [...(isAnd ? [] : of(node.left)), ...of(node.right)];
  }
  if (ts.isTemplateExpression(node)) {
    const spans = node.templateSpans.flatMap(({ expression, literal }) => [
      of(expression),
      [literal.text],
    ]);
    return combine([[node.head.text], ...spans]);
  }
  if (ts.isIdentifier(node)) {
    const value = findValue(node);
    return value ? of(value) : [VALUE];
  }
  if (ts.isCallExpression(node)) return textsOfCall(node, code);
  return [VALUE];
}

/** Methods of a list of messages. */
const OF_LISTS = new Set(['join', 'filter', 'map', 'flatMap']);

function textsOfCall(
  { expression: called, arguments: [argument] }: ts.CallExpression,
  code: Code,
): readonly string[] {
  if (ts.isIdentifier(called)) return textsOfFunction(called, code);
  if (!ts.isPropertyAccessExpression(called) || !OF_LISTS.has(called.name.text)) return [VALUE];
  return called.name.text.endsWith('ap')
    ? textsOfFunction(argument!, code)
    : textsOf(called.expression, code);
}

function textsOfFunction(given: ts.Expression, code: Code): readonly string[] {
  const node = ts.isIdentifier(given) ? findFunction(given, code) : given;
  if (!node || !(ts.isFunctionDeclaration(node) || ts.isArrowFunction(node)) || !node.body)
    return [VALUE];
  if (!ts.isBlock(node.body)) return textsOf(node.body, code);
  return listNodes(node.body)
    .filter(ts.isReturnStatement)
    .flatMap(({ expression }) => (expression ? textsOf(expression, code) : []));
}

/** Finds a function in the file of its use, otherwise the only one with its name. */
function findFunction(
  name: ts.Identifier,
  { functions }: Code,
): ts.FunctionDeclaration | undefined {
  const found = functions.get(name.text) ?? [];
  const own = found.find((one) => one.getSourceFile() === name.getSourceFile());
  return own ?? (found.length === 1 ? found[0] : undefined);
}

function combine(parts: readonly (readonly string[])[]): readonly string[] {
  return parts.reduce<readonly string[]>(
    (before, part) => before.flatMap((text) => part.map((more) => text + more)),
    [''],
  );
}

/** Finds the value of a constant in the blocks around its use. */
function findValue(name: ts.Identifier): ts.Expression | undefined {
  for (let scope = name.parent; !ts.isSourceFile(scope.parent ?? scope); scope = scope.parent) {
    const value = ts.isBlock(scope) ? valueIn(scope.statements, name.text) : undefined;
    if (value) return value;
  }
  return valueIn(name.getSourceFile().statements, name.text);
}

function valueIn(statements: readonly ts.Statement[], name: string): ts.Expression | undefined {
  return statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find((declared) => declared.name.getText() === name)?.initializer;
}
