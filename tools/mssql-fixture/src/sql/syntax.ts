import { init, parse } from '@guanmingchiu/sqlparser-ts';
import { notRun, raise, type SqlServerError } from '../engine/sql-server-error.ts';
import { sqlType, type SqlType } from '../tds/sql-type.ts';

/** Nodes of the parser's tree that the fixture reads. The parser's own declarations do not match its output. */
export interface Ident {
  readonly value: string;
  readonly quote_style: string | undefined;
}
type ObjectName = readonly { readonly Identifier: Ident }[];
type DataType = string | Readonly<Record<string, unknown>>;

/** A node is an object with one key, its kind. */
type OneOf<Nodes> = { readonly [K in keyof Nodes]: { readonly [P in K]: Nodes[K] } }[keyof Nodes];

interface InNode {
  readonly expr: Expression;
  readonly negated: boolean;
}

export interface Expressions {
  readonly Identifier: Ident;
  readonly CompoundIdentifier: readonly Ident[];
  readonly Value: { readonly value: string | Readonly<Record<string, unknown>> };
  readonly Nested: Expression;
  readonly BinaryOp: { readonly left: Expression; readonly op: string; readonly right: Expression };
  readonly UnaryOp: { readonly op: string; readonly expr: Expression };
  readonly IsNull: Expression;
  readonly IsNotNull: Expression;
  readonly InList: InNode & { readonly list: readonly Expression[] };
  readonly InSubquery: InNode & { readonly subquery: Query };
  readonly Like: InNode & {
    readonly pattern: Expression;
    readonly escape_char: { readonly value: Readonly<Record<string, string>> } | undefined;
  };
  readonly Exists: { readonly subquery: Query; readonly negated: boolean };
  readonly Subquery: Query;
  readonly Case: {
    readonly operand: Expression | undefined;
    readonly conditions: readonly { readonly condition: Expression; readonly result: Expression }[];
    readonly else_result: Expression | undefined;
  };
  readonly Cast: {
    readonly kind: string;
    readonly expr: Expression;
    readonly data_type: DataType;
  };
  readonly Convert: {
    readonly is_try: boolean;
    readonly expr: Expression;
    readonly data_type: DataType;
    readonly styles: readonly Expression[];
  };
  readonly Collate: { readonly expr: Expression; readonly collation: ObjectName };
  readonly Substring: {
    readonly expr: Expression;
    readonly substring_from: Expression;
    readonly substring_for: Expression;
  };
  readonly Function: FunctionNode;
}
export type Expression = OneOf<Expressions>;

export interface FunctionNode {
  readonly name: ObjectName;
  readonly args:
    | 'None'
    | { readonly List: FunctionArguments & { readonly duplicate_treatment: string | undefined } };
  readonly over:
    | {
        readonly WindowSpec: {
          readonly partition_by: readonly Expression[];
          readonly order_by: readonly OrderItem[];
        };
      }
    | undefined;
  readonly within_group: readonly OrderItem[];
}
interface FunctionArguments {
  readonly args: readonly { readonly Unnamed: 'Wildcard' | { readonly Expr: Expression } }[];
}

export interface OrderItem {
  readonly expr: Expression;
  readonly options: { readonly asc: boolean | undefined };
}

export interface Query {
  readonly with:
    | {
        readonly cte_tables: readonly { readonly alias: Alias; readonly query: Query }[];
      }
    | undefined;
  readonly body: QueryBody;
  readonly order_by: { readonly kind: { readonly Expressions: readonly OrderItem[] } } | undefined;
  readonly limit_clause:
    | {
        readonly LimitOffset: { readonly offset: { readonly value: Expression } | undefined };
      }
    | undefined;
  readonly fetch: { readonly quantity: Expression } | undefined;
  readonly for_clause:
    { readonly Xml?: { readonly for_xml: { readonly Path?: string } } } | undefined;
}
export type QueryBody = OneOf<{
  readonly Select: Select;
  readonly Query: Query;
  readonly Values: { readonly rows: readonly { readonly content: readonly Expression[] }[] };
  readonly SetOperation: {
    readonly op: string;
    readonly set_quantifier: string;
    readonly left: QueryBody;
    readonly right: QueryBody;
  };
}>;

export interface Select {
  readonly distinct: string | undefined;
  readonly top:
    | {
        readonly quantity: { readonly Constant: number } | { readonly Expr: Expression };
      }
    | undefined;
  readonly projection: readonly SelectItem[];
  readonly from: readonly TableWithJoins[];
  readonly selection: Expression | undefined;
  readonly group_by: { readonly Expressions: readonly [readonly Expression[], unknown] };
  readonly having: Expression | undefined;
}
export type SelectItem = OneOf<{
  readonly UnnamedExpr: Expression;
  readonly ExprWithAlias: { readonly expr: Expression; readonly alias: Ident };
  readonly Wildcard: unknown;
  readonly QualifiedWildcard: readonly [{ readonly ObjectName: ObjectName }, unknown];
}>;

interface Alias {
  readonly name: Ident;
  readonly columns: readonly { readonly name: Ident }[];
}
export interface TableWithJoins {
  readonly relation: TableFactor;
  readonly joins: readonly { readonly relation: TableFactor; readonly join_operator: JoinKind }[];
}
type JoinKind = string | Readonly<Record<string, 'None' | { readonly On: Expression }>>;
export type TableFactor = OneOf<{
  readonly Table: {
    readonly name: ObjectName;
    readonly alias: Alias | undefined;
    readonly args: FunctionArguments | undefined;
  };
  readonly Derived: { readonly subquery: Query; readonly alias: Alias };
}>;

export interface Statements {
  readonly Query: Query;
  readonly Declare: {
    readonly stmts: readonly {
      readonly names: readonly Ident[];
      readonly data_type: DataType;
      readonly assignment: { readonly MsSqlAssignment: Expression } | undefined;
    }[];
  };
  readonly Set: {
    readonly SingleAssignment?: {
      readonly variable: ObjectName;
      readonly values: readonly Expression[];
    };
  };
  readonly Use: { readonly Object: ObjectName };
  readonly WaitFor: { readonly expr: Expression };
  readonly CreateTable: {
    readonly name: ObjectName;
    readonly columns: readonly { readonly name: Ident; readonly data_type: DataType }[];
  };
  readonly Drop: { readonly if_exists: boolean; readonly names: readonly ObjectName[] };
  readonly Insert: {
    readonly table: { readonly TableName: ObjectName };
    readonly columns: readonly ObjectName[];
    readonly source: Query;
  };
  readonly If: {
    readonly if_block: ConditionalBlock;
    readonly else_block: ConditionalBlock | undefined;
  };
  readonly Execute: { readonly name: ObjectName; readonly parameters: readonly Expression[] };
  readonly Throw: {
    readonly error_number: Expression;
    readonly message: Expression;
    readonly state: Expression;
  };
}
export type Statement = OneOf<Statements>;

export interface ConditionalBlock {
  readonly condition: Expression | undefined;
  readonly conditional_statements: Readonly<
    Record<string, { readonly statements: readonly Statement[] }>
  >;
}

/** Loads the parser, once for all servers of the process. */
export const loadParser = init;

/**
 * Parses the statements of a batch, separated by semicolons. Throws 102, 105, 113 and 156 like SQL Server, with the
 * token where the parser stops.
 */
export function parseBatch(text: string): readonly Statement[] {
  try {
    return parse(text, 'mssql') as unknown as readonly Statement[];
  } catch (error) {
    throw syntaxError(text, String(error instanceof Error ? error.message : error));
  }
}

function syntaxError(text: string, message: string): SqlServerError {
  const [, line = '1', column = '1'] = /Line: (\d+), Column: (\d+)/.exec(message) ?? [];
  const place = { line: Number(line) };
  const after = (text.split('\n')[place.line - 1] ?? '').slice(Number(column));
  if (/unterminated string|closing quote|close delimiter/i.test(message)) {
    return raise(105, [after], place);
  }
  if (/comment/i.test(message)) return raise(113, [], place);
  const found = /found: ([^]*?)(?: at Line|$)/.exec(message)?.[1] ?? 'EOF';
  const token = found === 'EOF' ? (/(\S+?)\s*$/.exec(text)?.[1] ?? '') : found;
  return raise(RESERVED.test(token) ? 156 : 102, [token], place);
}

/** Words that a name needs brackets for, as far as statements stop at them. */
const RESERVED =
  /^(and|as|begin|by|case|create|cross|declare|delete|drop|else|end|exec|execute|exists|for|from|full|group|having|if|in|inner|insert|into|is|join|left|like|not|null|on|option|or|order|outer|select|set|table|then|top|union|update|values|when|where|while|with)$/i;

/** Returns the kind of a node and its content. */
export function nodeOf(node: object): readonly [kind: string, body: unknown] {
  return Object.entries(node)[0] ?? ['nothing', undefined];
}

/** Throws if a node has a property that is not read, so that nothing is ignored silently. */
export function checkRead(node: object | undefined, read: readonly string[]): void {
  for (const [key, value] of Object.entries(node ?? {}) as [string, unknown][]) {
    const isEmpty =
      !value ||
      /^(None|Standard)$/.test(String(value)) ||
      (typeof value === 'object' && Object.keys(value).length === 0);
    const isKnown = read.includes(key) || /(_token|^span)$/.test(key);
    if (!isKnown && !isEmpty) throw notRun(key.toUpperCase().replaceAll('_', ' '));
  }
}

/** Returns the parts of a name, `[database].[schema].[object]`. */
export function partsOf(name: ObjectName): readonly string[] {
  return name.map(({ Identifier }) => Identifier.value);
}

/** Returns the type in a declaration, CAST or CONVERT. Throws 243. */
export function typeOf(written: DataType, isCast = false): SqlType {
  const [kind, facets] = typeof written === 'string' ? [written, null] : nodeOf(written);
  const [custom, ...more] = kind === 'Custom' ? (facets as readonly [ObjectName, unknown]) : [];
  const name = custom ? (partsOf(custom).at(-1) ?? '') : kind;
  const numbers = JSON.stringify(custom ? more : (facets ?? null)).match(/"max"|\d+/gi) ?? [];
  const type = sqlType(name, numbers.map(facetOf), isCast ? 'cast' : 'declaration');
  if (!type) throw raise(243, [name]);
  return type;
}

/** Parses a facet of a type. max is -1. */
export function facetOf(text: string): number {
  return /max/i.test(text) ? -1 : Number(text);
}
