import { raise } from '../engine/sql-server-error.ts';
import type { Statement } from '../tsql/ast.ts';
import type { Query, Select } from '../tsql/ast.ts';
import type { BatchEvent } from './batch-event.ts';
import { runQuery, setVariable, type QueryResult } from './evaluate.ts';
import type { StatementRun } from './run-batch.ts';
import type { Frame } from './session.ts';
import { createTable, fillTable } from './temporary-tables.ts';

/** SQL Server gives the text of FOR JSON and FOR XML in rows of about so many characters. */
const FOR_CHUNK_CHARACTERS = 2033;

/** A SELECT: its rows, or what it puts into variables or a temporary table. */
export async function* runSelect(
  { query, line }: Extract<Statement, { kind: 'select' }>,
  frame: Frame,
): StatementRun {
  const { body } = query;
  const select = body.kind === 'select' ? body : undefined;
  const result = runQuery(frame, query);
  frame.session.rowCount = result.rows.length;
  if (select?.items.some((item) => item.kind === 'assign')) {
    assign(frame, { select, result, line });
    yield { kind: 'done', rowCount: undefined };
  } else if (select?.into) {
    const name = select.into.at(-1) ?? '';
    if (!name.startsWith('#')) throw raise(102, [name], { line });
    createTable(frame, name, result.columns);
    fillTable(frame, name, result.rows);
    yield { kind: 'done', rowCount: result.rows.length };
  } else {
    const shown = query.forClause ? chunked(query, result) : result;
    yield { kind: 'rows', ...shown } satisfies BatchEvent;
    yield { kind: 'done', rowCount: shown.rows.length };
  }
  return 'next';
}

/** The last row's values; without a row the variables stay as they are. */
function assign(
  frame: Frame,
  {
    select,
    result,
    line,
  }: { readonly select: Select; readonly result: QueryResult; readonly line: number },
): void {
  const row = result.rows.at(-1);
  select.items.forEach((item, i) => {
    if (item.kind !== 'assign') throw raise(141, [], { line });
    const type = result.columns[i]?.type ?? { name: 'int' };
    if (row)
      setVariable(frame, { name: item.variable, value: { type, value: row[i] ?? null }, line });
  });
}

function chunked(query: Query, { columns, rows }: QueryResult): QueryResult {
  const text = rows[0]?.[0] ?? null;
  if (text === null) return { columns, rows: query.forClause?.kind === 'xml' ? rows : [] };
  const chunks: string[][] = [];
  for (let at = 0; at < String(text).length; at += FOR_CHUNK_CHARACTERS) {
    chunks.push([String(text).slice(at, at + FOR_CHUNK_CHARACTERS)]);
  }
  return { columns, rows: chunks };
}
