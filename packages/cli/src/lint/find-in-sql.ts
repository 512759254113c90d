import { SCHEMA_PLACEHOLDER, sqlTokens, type SqlToken } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';

/** A finding in a file of users. */
export interface LintFinding {
  readonly file: string;
  /** Line, counted from 1. */
  readonly line: number;
  readonly rule: string;
  /** Problem and solution, in one line. */
  readonly message: string;
}

/** A node of the parse tree of libpg-query. */
type Node = Readonly<Record<string, unknown>>;

interface ParsedStatement {
  readonly stmt: Node;
  /** Offset in bytes, including the comments before the statement. */
  readonly stmt_location?: number;
  readonly stmt_len?: number;
}

/** Finds statements in an SQL text that change data capture makes dangerous, with the grammar of PostgreSQL. */
export async function findInSql(
  file: string,
  written: string,
  tables: readonly ReplicatedTable[],
): Promise<readonly LintFinding[]> {
  const { parse } = await import('libpg-query');
  // The placeholder may be unquoted, so it becomes a name of the same length.
  const sql = written.replaceAll(SCHEMA_PLACEHOLDER, '__schema__');
  let statements: readonly ParsedStatement[];
  try {
    statements =
      ((await parse(sql)) as unknown as { stmts?: readonly ParsedStatement[] }).stmts ?? [];
  } catch (error) {
    const position = (error as { sqlDetails?: { cursorPosition?: number } }).sqlDetails
      ?.cursorPosition;
    const message = `expected SQL of PostgreSQL 18, found: ${(error as Error).message}`;
    return [{ file, line: lineAt(sql, position ?? 0), rule: 'cdc-syntax', message }];
  }
  const bytes = Buffer.from(sql);
  const ignoredInFile = ignoredBy(sql, 'squawk-ignore-file');
  let from = 0; // A statement begins after the previous one, before its semicolon.
  return statements.flatMap(({ stmt, stmt_location = 0, stmt_len }) => {
    const text = bytes.subarray(from).toString();
    const first = firstToken(text);
    const lead = text.slice(0, first?.offset ?? 0);
    const line = lineAt(sql, bytes.subarray(0, from).toString().length + lead.length);
    from = stmt_len === undefined ? bytes.length : stmt_location + stmt_len;
    const ignored = [...ignoredInFile, ...ignoredBy(lead, 'squawk-ignore')];
    return findInStatement(stmt, tables)
      .filter(({ rule }) => !ignored.includes(rule) && !ignored.includes(''))
      .map((finding) => ({ file, line, ...finding }));
  });
}

/** Returns the first token that is not a semicolon. */
function firstToken(text: string): SqlToken | undefined {
  for (const token of sqlTokens(text)) if (token.text !== ';') return token;
  return undefined;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Returns the rules that comments name. An empty name means all rules. */
function ignoredBy(text: string, word: string): readonly string[] {
  const comments = text.matchAll(new RegExp(`--[ \\t]*${word}(?![\\w-])([^\\n]*)`, 'g'));
  return [...comments].flatMap(([, names]) => names!.trim().split(/[\s,]+/));
}

type Found = Pick<LintFinding, 'rule' | 'message'>;

function findInStatement(stmt: Node, tables: readonly ReplicatedTable[]): readonly Found[] {
  const [kind, body] = Object.entries(stmt)[0] as [string, Node];
  return [...(STATEMENTS[kind]?.(body, tables) ?? []), ...findWithoutSchema(kind, body)];
}

const STATEMENTS: Readonly<
  Record<string, (body: Node, tables: readonly ReplicatedTable[]) => readonly Found[]>
> = {
  TransactionStmt: () => [
    {
      rule: 'cdc-transaction',
      message:
        'expected no BEGIN, COMMIT or ROLLBACK: apply runs a file and its row of the history in one transaction; for a statement that cannot, begin the file with -- cdc: no-transaction',
    },
  ],
  AlterTableStmt: (body, tables) => {
    const table = tableOf(body['relation'], tables);
    return table ? nodes(body['cmds']).flatMap((cmd) => findInAlter(cmd, table)) : [];
  },
  RenameStmt: (body, tables) => {
    const table = tableOf(body['relation'], tables);
    const isColumn = body['renameType'] === 'OBJECT_COLUMN';
    if (!table || (!isColumn && body['renameType'] !== 'OBJECT_TABLE')) return [];
    if (isColumn && !hasColumn(table, body['subname'])) return [];
    const what = isColumn ? `the column ${String(body['subname'])}` : 'the table';
    const way = isColumn
      ? 'use renames of the table in the YAML'
      : 'use cdc manage-migrations rename';
    return [{ rule: 'cdc-rename', message: `the merge of ${table.name} uses ${what}; ${way}` }];
  },
  DropStmt: (body, tables) =>
    nodes(body['objects']).flatMap((object) => {
      const names = nodes((object['List'] as Node | undefined)?.['items']).map(textOf);
      const table = tables.find(({ name, names: own }) =>
        [name, own.staging].includes(names.at(-1)!),
      );
      if (body['removeType'] !== 'OBJECT_TABLE' || !table) return [];
      const message = `events are merged into ${table.name}; remove it from the YAML, then run cdc manage-migrations retire`;
      return [{ rule: 'cdc-drop', message }];
    }),
  CreateTrigStmt: (body, tables) => {
    const table = tableOf(body['relation'], tables);
    if (!table) return [];
    const message = `the trigger runs for each row that a merge of ${table.name} writes, also in a replay and a reload, and an error in it makes dead letters; read ${table.name} by __sync_timestamp instead`;
    return [{ rule: 'cdc-trigger', message }];
  },
  IndexStmt: (body, tables) => {
    const table = tableOf(body['relation'], tables);
    const findings: Found[] = [];
    if (table && body['unique'] === true) {
      findings.push({
        rule: 'cdc-constraint',
        message: `an event that breaks the unique index goes to the dead letters; make it a plain index of ${table.name}`,
      });
    }
    if (table && isPartitionedFinal(table, body['relation'])) {
      if (body['concurrent'] === true) {
        findings.push({
          rule: 'cdc-partitioned',
          message: `PostgreSQL refuses CREATE INDEX CONCURRENTLY for ${table.name}, which has partition_by, also where it is empty; remove the statement and declare the index in indexes of the table in the YAML, which creates it partition by partition, or omit CONCURRENTLY`,
        });
      } else {
        findings.push({
          rule: 'cdc-index',
          message: `merges of ${table.name} wait until the index is built, and CONCURRENTLY is refused for a table with partition_by; declare it in indexes of the table in the YAML`,
        });
      }
    } else if (table && body['concurrent'] !== true) {
      findings.push({
        rule: 'cdc-index',
        message: `merges of ${table.name} wait until the index is built; CREATE INDEX CONCURRENTLY in a file of its own that begins with -- cdc: no-transaction`,
      });
    }
    return findings;
  },
};

const CONSTRAINTS: Readonly<Record<string, string>> = {
  CONSTR_PRIMARY: 'cdc-key',
  CONSTR_UNIQUE: 'cdc-constraint',
  CONSTR_CHECK: 'cdc-constraint',
  CONSTR_FOREIGN: 'cdc-constraint',
  CONSTR_EXCLUSION: 'cdc-constraint',
};

/** Finds actions of ALTER TABLE that harm a table into which events are merged. */
function findInAlter(wrapped: Node, table: ReplicatedTable): readonly Found[] {
  const cmd = wrapped['AlterTableCmd'] as Node;
  const name = String(cmd['name']);
  const key = `the merge of ${table.name} finds rows by its key; set key_columns in the YAML instead`;
  const dead = `an event that breaks it goes to the dead letters; leave it to the source of ${table.name}`;
  if (cmd['subtype'] === 'AT_AddConstraint') {
    const constraint = (cmd['def'] as Node)['Constraint'] as Node;
    const rule = CONSTRAINTS[String(constraint['contype'])];
    if (!rule) return [];
    return [{ rule, message: rule === 'cdc-key' ? key : dead }];
  }
  if (cmd['subtype'] === 'AT_DropConstraint') {
    return name === table.names.primaryKey ? [{ rule: 'cdc-key', message: key }] : [];
  }
  const column = table.columns.find((each) => each.name === name);
  if (!column) return [];
  switch (cmd['subtype']) {
    case 'AT_DropColumn':
      return [
        {
          rule: 'cdc-drop',
          message: `the merge of ${table.name} writes the column ${name}; exclude it with ignore_columns in the YAML`,
        },
      ];
    case 'AT_AlterColumnType':
      return [
        {
          rule: 'cdc-type',
          message: `the definition of ${table.name} has ${name} as ${column.type}, and a narrower type refuses values of the source; set the type in the type overrides in the YAML`,
        },
      ];
    case 'AT_SetNotNull':
      return column.nullable ? [{ rule: 'cdc-constraint', message: dead }] : [];
    default:
      return [];
  }
}

const CHANGES: ReadonlySet<string> = new Set([
  'UpdateStmt',
  'DeleteStmt',
  'InsertStmt',
  'AlterTableStmt',
  'IndexStmt',
]);

/** Finds a table without a schema. It would come from the search path and not from the tenant. */
function findWithoutSchema(kind: string, body: Node): readonly Found[] {
  const relation = body['relation'] as Node | undefined;
  if (!CHANGES.has(kind) || !relation || relation['schemaname'] !== undefined) return [];
  const message = `expected a schema before ${String(relation['relname'])}; write "{{SCHEMA}}"."${String(relation['relname'])}" for the table of each tenant`;
  return [{ rule: 'cdc-schema', message }];
}

function tableOf(
  relation: unknown,
  tables: readonly ReplicatedTable[],
): ReplicatedTable | undefined {
  const name = (relation as Node | undefined)?.['relname'];
  return tables.find((table) => table.name === name || table.names.staging === name);
}

/** Returns true for a final table in partitions. Staging has none. */
function isPartitionedFinal({ name, partitionBy }: ReplicatedTable, relation: unknown): boolean {
  return partitionBy !== undefined && (relation as Node)['relname'] === name;
}

function hasColumn({ columns }: ReplicatedTable, name: unknown): boolean {
  return columns.some((column) => column.name === name);
}

function nodes(value: unknown): readonly Node[] {
  return (value ?? []) as readonly Node[];
}

function textOf(node: Node): string {
  return String((node['String'] as Node | undefined)?.['sval']);
}
