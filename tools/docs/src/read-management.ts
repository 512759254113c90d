import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@cdc-migrations/postgres-fixture';

/** An object of `cdc_management` after applying the infrastructure file. */
export interface ManagementObject {
  readonly kind: 'table' | 'view' | 'type' | 'function' | 'procedure';
  readonly name: string;
  /** Columns, or arguments and result. */
  readonly shape: string;
  readonly unlogged: boolean;
  /** True if `CDC_DB_USER` may read or execute it. */
  readonly granted: boolean;
}

export interface Setting {
  readonly name: string;
  readonly value: string;
  readonly description: string;
}

export interface Management {
  readonly objects: readonly ManagementObject[];
  readonly settings: readonly Setting[];
  /** Comments in front of the objects, by name. */
  readonly comments: ReadonlyMap<string, string>;
}

const MIGRATIONS = 'fixtures/adopus/migrations';
const ROLE = 'sink';

/** Applies the infrastructure file of fixtures/adopus to a temporary server and reads the created objects. */
export async function readManagement(root: string): Promise<Management> {
  const [schemas, infrastructure] = [
    'schemas/create-schemas.sql',
    'infrastructure/cdc-management.sql',
  ].map((file) => readFileSync(join(root, MIGRATIONS, file), 'utf8'));
  const server = await startPostgres({ major: 15 });
  try {
    await server.createRole(ROLE);
    const sql = server.connect({ database: await server.createDatabase(), onnotice: () => {} });
    for (const text of [schemas!, infrastructure!]) {
      const ofRole = text
        .replaceAll('"postgres"', `"${ROLE}"`)
        .replaceAll(`'postgres'`, `'${ROLE}'`);
      await sql.begin((transaction) => transaction.unsafe(ofRole).simple());
    }
    return {
      objects: [...(await sql.unsafe<ManagementObject[]>(OBJECTS, [ROLE]))],
      settings: [
        ...(await sql<Setting[]>`SELECT name, value, description FROM cdc_management.setting`),
      ],
      comments: readComments(infrastructure!),
    };
  } finally {
    await server.stop();
  }
}

const OBJECT =
  /^CREATE (?:OR REPLACE |UNLOGGED )*(?:TABLE|VIEW|FUNCTION|PROCEDURE) (?:IF NOT EXISTS )?cdc_management\.(\w+)|^ +CREATE TYPE cdc_management\.(\w+)/;

/** Reads the comment in front of each object. An object in the next line, or with the same name, shares it. */
function readComments(text: string): ReadonlyMap<string, string> {
  const comments = new Map<string, string>();
  let comment = '';
  let isOpen = false;
  for (const line of text.slice(text.indexOf('\n\n')).split('\n')) {
    if (line.startsWith('-- ')) {
      comment = isOpen ? `${comment} ${line.slice(3)}` : line.slice(3);
    }
    isOpen = line.startsWith('-- ');
    const [, relation, type] = OBJECT.exec(line) ?? [];
    const name = relation ?? type;
    if (name !== undefined && comment !== '') comments.set(name, comment);
    else if (name !== undefined && !comments.has(name))
      throw new Error(`cdc_management.${name} has no comment`);
    if (line === '') comment = '';
  }
  return comments;
}

/** Query for relations, types and routines of the schema, sorted by name. */
const OBJECTS = `
  SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' ELSE 'type' END AS kind, relname AS name,
    (SELECT string_agg(format('%s %s%s', attname, format_type(atttypid, atttypmod),
         CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END), ', ' ORDER BY attnum)
     FROM pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped) AS shape,
    relpersistence = 'u' AS unlogged, has_table_privilege($1, relation.oid, 'SELECT') AS granted
  FROM pg_class AS relation
  WHERE relnamespace = 'cdc_management'::regnamespace AND relkind IN ('r', 'v', 'c')
  UNION ALL
  SELECT CASE prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, proname,
    format('(%s)%s', pg_get_function_arguments(oid),
      CASE WHEN prokind = 'f' THEN ' ' || pg_get_function_result(oid) ELSE '' END),
    false, has_function_privilege($1, oid, 'EXECUTE')
  FROM pg_proc
  WHERE pronamespace = 'cdc_management'::regnamespace
  ORDER BY name, shape`;
