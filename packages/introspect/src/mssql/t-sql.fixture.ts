/** A table as declared in a T-SQL script. It is parsed independently of the tested code, for comparison. */
export interface DeclaredTable {
  readonly name: string;
  readonly columns: readonly DeclaredColumn[];
  readonly primaryKey?: { readonly name: string; readonly columns: readonly string[] };
  readonly uniqueIndexes: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly where?: string;
  }[];
  readonly foreignKeys: readonly {
    readonly name: string;
    readonly columns: readonly string[];
    readonly target: string;
    readonly targetColumns: readonly string[];
  }[];
}

export interface DeclaredColumn {
  readonly name: string;
  /** Type as written: `decimal(5,2)`, `[dbo].[Url]`. For a computed column, its expression. */
  readonly type?: string;
  readonly computed?: string;
  readonly nullable?: boolean;
  readonly isIdentity: boolean;
  readonly default?: string;
  readonly collation?: string;
}

/** Reads the tables of a script with one column per line, as in AdOpusTest.sql. */
export function readDeclaredTables(sql: string): ReadonlyMap<string, DeclaredTable> {
  const uniqueIndexes = [
    ...sql.matchAll(
      /^CREATE UNIQUE .*INDEX \[(.+?)\] ON \[dbo\]\.\[(.+?)\] \((.+?)\)(?: WHERE (.+))?;$/gm,
    ),
  ].map(([, name, table, columns, where]) => ({
    table,
    index: { name: name!, columns: namesIn(columns!), ...(where !== undefined && { where }) },
  }));
  const foreignKeys = [
    ...sql.matchAll(
      /^ALTER TABLE \[dbo\]\.\[(.+?)\] ADD CONSTRAINT \[(.+?)\] FOREIGN KEY \((.+?)\) REFERENCES (\S+) \((.+?)\);$/gm,
    ),
  ].map(([, table, name, columns, target, targetColumns]) => ({
    table,
    key: {
      name: name!,
      columns: namesIn(columns!),
      target: target!.replaceAll(/[[\]]/g, ''),
      targetColumns: namesIn(targetColumns!),
    },
  }));
  const tables = [...sql.matchAll(/^CREATE TABLE \[dbo\]\.\[(.+?)\] \(\n([^]*?)\n\);$/gm)];
  return new Map(
    tables.map(([, name, body]) => [
      name!,
      {
        ...readBody(name!, body!),
        uniqueIndexes: uniqueIndexes
          .filter(({ table }) => table === name)
          .map(({ index }) => index),
        foreignKeys: foreignKeys.filter(({ table }) => table === name).map(({ key }) => key),
      },
    ]),
  );
}

function readBody(
  name: string,
  body: string,
): Pick<DeclaredTable, 'name' | 'columns' | 'primaryKey'> {
  const lines = body.split('\n').map((line) => line.trim().replace(/,$/, ''));
  const key = lines.map((line) =>
    /^CONSTRAINT \[(.+?)\] PRIMARY KEY CLUSTERED \((.+)\)$/.exec(line),
  );
  const [, keyName, keyColumns] = key.find((match) => match !== null) ?? [];
  return {
    name,
    columns: lines.filter((line) => line.startsWith('[')).map(readColumn),
    ...(keyName !== undefined && { primaryKey: { name: keyName, columns: namesIn(keyColumns!) } }),
  };
}

function readColumn(line: string): DeclaredColumn {
  const computed = /^\[(.+?)\] AS (.+)$/.exec(line);
  if (computed) return { name: computed[1]!, computed: computed[2]!, isIdentity: false };
  const declared =
    /^\[(.+?)\] (\[dbo\]\.\[\w+\]|\w+(?:\(.+?\))?)(?: COLLATE (\w+))?( IDENTITY\(1,1\))? (NOT )?NULL(?: CONSTRAINT \[\w+\] DEFAULT (.+))?$/.exec(
      line,
    );
  if (!declared) throw new Error(`not understood: ${line}`);
  const [, name, type, collation, identity, not, defaultExpression] = declared;
  return {
    name: name!,
    type: type!,
    nullable: not === undefined,
    isIdentity: identity !== undefined,
    ...(defaultExpression !== undefined && { default: defaultExpression }),
    ...(collation !== undefined && { collation }),
  };
}

function namesIn(list: string): string[] {
  return [...list.matchAll(/\[(.+?)\]/g)].map(([, name]) => name!);
}
