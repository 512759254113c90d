import { init, parse } from '@guanmingchiu/sqlparser-ts';
import { notRun, raise } from '../engine/sql-server-error.ts';
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
  readonly InSubquery: InNode & { readonly subquery: Query };
  readonly Like: InNode & { readonly pattern: Expression };
  readonly Exists: { readonly subquery: Query; readonly negated: boolean };
  readonly Subquery: Query;
  readonly Case: {
    readonly operand: Expression | undefined;
    readonly conditions: readonly { readonly condition: Expression; readonly result: Expression }[];
    readonly else_result: Expression | undefined;
  };
  readonly Cast: { readonly expr: Expression; readonly data_type: DataType };
  readonly Convert: {
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
    | {
        readonly List: {
          readonly args: readonly {
            readonly Unnamed: 'Wildcard' | { readonly Expr: Expression };
          }[];
        };
      };
  readonly over:
    | {
        readonly WindowSpec: {
          readonly partition_by: readonly Expression[];
          readonly order_by: readonly OrderItem[];
        };
      }
    | undefined;
}

export interface OrderItem {
  readonly expr: Expression;
  readonly options: { readonly asc: boolean | undefined };
}

export interface Query {
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
}
export type SelectItem = OneOf<{
  readonly UnnamedExpr: Expression;
  readonly ExprWithAlias: { readonly expr: Expression; readonly alias: Ident };
  readonly Wildcard: unknown;
  readonly QualifiedWildcard: readonly [{ readonly ObjectName: ObjectName }, unknown];
}>;

interface Alias {
  readonly name: Ident;
}
interface TableWithJoins {
  readonly relation: TableFactor;
  readonly joins: readonly { readonly relation: TableFactor; readonly join_operator: JoinKind }[];
}
export type JoinKind = string | Readonly<Record<string, 'None' | { readonly On: Expression }>>;
export type TableFactor = OneOf<{
  readonly Table: { readonly name: ObjectName; readonly alias: Alias | undefined };
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
  readonly Set: { readonly SingleAssignment?: { readonly variable: ObjectName } };
  readonly Use: { readonly Object: ObjectName };
  readonly CreateTable: {
    readonly name: ObjectName;
    readonly columns: readonly { readonly name: Ident; readonly data_type: DataType }[];
  };
  readonly Insert: {
    readonly table: { readonly TableName: ObjectName };
    readonly columns: readonly ObjectName[];
    readonly source: Query;
  };
  readonly If: {
    readonly if_block: {
      readonly condition: Expression;
      readonly conditional_statements: Readonly<
        Record<string, { readonly statements: readonly Statement[] }>
      >;
    };
    readonly else_block: unknown;
  };
  readonly Execute: { readonly name: ObjectName; readonly parameters: readonly Expression[] };
  readonly Throw: {
    readonly error_number: Expression;
    readonly message: Expression;
    readonly state: Expression;
  };
}
export type Statement = OneOf<Statements>;

/** Loads the parser, once for all servers of the process. */
export const loadParser = init;

/** Parses the statements of a batch, separated by semicolons. Throws 102 with the parser's message. */
export function parseBatch(text: string): readonly Statement[] {
  try {
    return parse(text, 'mssql') as unknown as readonly Statement[];
  } catch (error) {
    throw raise(102, [error instanceof Error ? error.message : String(error)]);
  }
}

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

/** Returns the arguments of a function. `*` is "Wildcard". */
export function argumentsOf({ args }: FunctionNode): readonly ('Wildcard' | Expression)[] {
  const list = args === 'None' ? [] : args.List.args;
  return list.map(({ Unnamed }) => (Unnamed === 'Wildcard' ? Unnamed : Unnamed.Expr));
}

/** Returns the type in a declaration, CAST or CONVERT. Throws 243. */
export function typeOf(written: DataType, use: 'declaration' | 'cast' = 'declaration'): SqlType {
  const [kind, facets] = typeof written === 'string' ? [written, null] : nodeOf(written);
  const [custom, ...more] = kind === 'Custom' ? (facets as readonly [ObjectName, unknown]) : [];
  const name = custom ? (partsOf(custom).at(-1) ?? '') : kind;
  const numbers = JSON.stringify(custom ? more : (facets ?? null)).match(/"max"|\d+/gi) ?? [];
  const lengths = numbers.map((number) => (/max/i.test(number) ? -1 : Number(number)));
  const type = sqlType(name, lengths, use);
  if (!type) throw raise(243, [name]);
  return type;
}
