import type { SqlType, SqlValue } from '../tds/sql-type.ts';

/** A name of one to four parts: `[server].[database].[schema].[object]`; a part left out (`db..t`) is empty. */
export type NameParts = readonly string[];

/** Something that has a value. */
export type Expression =
  | { readonly kind: 'literal'; readonly value: SqlValue; readonly type: SqlType }
  | { readonly kind: 'variable'; readonly name: string; readonly line: number }
  | { readonly kind: 'global'; readonly name: string; readonly line: number }
  | { readonly kind: 'column'; readonly parts: NameParts; readonly line: number }
  | { readonly kind: 'unary'; readonly operator: '-' | '+' | '~'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'collate'; readonly operand: Expression; readonly collation: string }
  | {
      readonly kind: 'case';
      readonly branches: readonly { readonly when: Predicate; readonly then: Expression }[];
      readonly otherwise: Expression | undefined;
    }
  | {
      readonly kind: 'cast';
      readonly operand: Expression;
      readonly type: SqlType;
      readonly style: Expression | undefined;
      readonly isTry: boolean;
    }
  | CallExpression
  | { readonly kind: 'subquery'; readonly query: Query };

/** A call of a scalar function, an aggregate or a window function. */
export interface CallExpression {
  readonly kind: 'call';
  readonly parts: NameParts;
  readonly args: readonly Expression[];
  /** `COUNT(*)` */
  readonly isStar: boolean;
  readonly isDistinct: boolean;
  readonly over: Window | undefined;
  readonly withinGroup: readonly OrderItem[];
  readonly line: number;
}

export interface Window {
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
}

/** Something that is true, false or unknown; T-SQL keeps it apart from values. */
export type Predicate =
  | {
      readonly kind: 'compare';
      readonly operator: '=' | '<>' | '<' | '>' | '<=' | '>=';
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'and'; readonly left: Predicate; readonly right: Predicate }
  | { readonly kind: 'or'; readonly left: Predicate; readonly right: Predicate }
  | { readonly kind: 'not'; readonly operand: Predicate }
  | { readonly kind: 'is-null'; readonly operand: Expression; readonly isNegated: boolean }
  | {
      readonly kind: 'in';
      readonly operand: Expression;
      readonly choices: readonly Expression[] | Query;
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'between';
      readonly operand: Expression;
      readonly low: Expression;
      readonly high: Expression;
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'like';
      readonly operand: Expression;
      readonly pattern: Expression;
      readonly escape: Expression | undefined;
      readonly isNegated: boolean;
    }
  | { readonly kind: 'exists'; readonly query: Query };

export interface OrderItem {
  readonly expression: Expression;
  readonly isDescending: boolean;
}

/** A SELECT with everything around it. */
export interface Query {
  readonly kind: 'query';
  readonly ctes: readonly Cte[];
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly offset: Expression | undefined;
  readonly fetch: Expression | undefined;
  readonly forClause: ForClause | undefined;
}

export interface Cte {
  readonly name: string;
  readonly columnNames: readonly string[];
  readonly query: Query;
}

/** `FOR JSON PATH|AUTO` and `FOR XML PATH`. */
export type ForClause =
  | {
      readonly kind: 'json';
      readonly root: string | undefined;
      readonly includesNulls: boolean;
      readonly hasArray: boolean;
    }
  | { readonly kind: 'xml'; readonly element: string };

export type QueryBody =
  | Select
  | { readonly kind: 'nested'; readonly query: Query }
  | {
      readonly kind: 'set';
      readonly operator: 'union' | 'union all' | 'except' | 'intersect';
      readonly left: QueryBody;
      readonly right: QueryBody;
    };

export interface Select {
  readonly kind: 'select';
  readonly isDistinct: boolean;
  readonly top: Expression | undefined;
  readonly items: readonly SelectItem[];
  readonly into: NameParts | undefined;
  readonly from: readonly FromItem[];
  readonly where: Predicate | undefined;
  readonly groupBy: readonly Expression[];
  readonly having: Predicate | undefined;
}

export type SelectItem =
  | { readonly kind: 'star'; readonly qualifier: NameParts; readonly line: number }
  | { readonly kind: 'value'; readonly expression: Expression; readonly alias: string | undefined }
  | { readonly kind: 'assign'; readonly variable: string; readonly expression: Expression };

export type JoinKind =
  'inner' | 'left' | 'right' | 'full' | 'cross' | 'cross apply' | 'outer apply';

export type FromItem =
  | {
      readonly kind: 'relation';
      readonly parts: NameParts;
      readonly alias: string | undefined;
      readonly line: number;
    }
  | {
      readonly kind: 'derived';
      readonly source: Query | readonly (readonly Expression[])[];
      readonly alias: string;
      readonly columnNames: readonly string[];
    }
  | TableFunction
  | {
      readonly kind: 'join';
      readonly join: JoinKind;
      readonly left: FromItem;
      readonly right: FromItem;
      readonly on: Predicate | undefined;
    };

/** STRING_SPLIT, OPENJSON and the functions of `cdc` in a FROM clause. */
export interface TableFunction {
  readonly kind: 'function';
  readonly parts: NameParts;
  readonly args: readonly Expression[];
  readonly alias: string | undefined;
  readonly columnNames: readonly string[];
  /** OPENJSON … WITH (…). */
  readonly schema: readonly JsonColumn[];
  readonly line: number;
}

export interface JsonColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly path: string | undefined;
}

/** An argument of EXEC. */
export interface ExecArgument {
  /** Without `@`; empty for a positional one. */
  readonly name: string;
  /** Undefined for DEFAULT. */
  readonly value: Expression | undefined;
  readonly isOutput: boolean;
}

interface TableColumn {
  readonly name: string;
  readonly type: SqlType;
}

/** One statement of a batch. */
export type Statement = { readonly line: number } & (
  | { readonly kind: 'select'; readonly query: Query }
  | { readonly kind: 'set-option' }
  | { readonly kind: 'set'; readonly variable: string; readonly expression: Expression }
  | {
      readonly kind: 'declare';
      readonly name: string;
      readonly type: SqlType;
      readonly value: Expression | undefined;
    }
  | {
      readonly kind: 'create-table';
      readonly name: string;
      readonly columns: readonly TableColumn[];
    }
  | { readonly kind: 'drop-table'; readonly name: string; readonly ifExists: boolean }
  | {
      readonly kind: 'insert';
      readonly table: NameParts;
      readonly columns: readonly string[];
      readonly source: Query | readonly (readonly Expression[])[];
    }
  | { readonly kind: 'delete'; readonly table: NameParts; readonly where: Predicate | undefined }
  | {
      readonly kind: 'if';
      readonly condition: Predicate;
      readonly then: Statement;
      readonly otherwise: Statement | undefined;
    }
  | { readonly kind: 'while'; readonly condition: Predicate; readonly body: Statement }
  | { readonly kind: 'block'; readonly statements: readonly Statement[] }
  | {
      readonly kind: 'try';
      readonly attempt: readonly Statement[];
      readonly rescue: readonly Statement[];
    }
  | {
      readonly kind: 'exec';
      readonly procedure: NameParts;
      readonly args: readonly ExecArgument[];
      readonly status: string | undefined;
    }
  | { readonly kind: 'exec-text'; readonly text: Expression }
  | { readonly kind: 'use'; readonly database: string }
  | { readonly kind: 'print'; readonly expression: Expression }
  | { readonly kind: 'raiserror'; readonly args: readonly Expression[] }
  | { readonly kind: 'throw'; readonly args: readonly Expression[] }
  | { readonly kind: 'wait'; readonly delay: Expression }
  | { readonly kind: 'transaction'; readonly action: 'begin' | 'commit' | 'rollback' | 'save' }
  | { readonly kind: 'return' }
);
