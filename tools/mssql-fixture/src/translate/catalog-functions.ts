import { INT, nvarchar, SYSNAME, type SqlType } from '../tds/sql-type.ts';
import type { FunctionRule } from './translate-call.ts';
import type { Environment } from './translation.ts';
import { quoteText, type TypedSql } from './typed-sql.ts';

type Arg = TypedSql | undefined;

const sql = (arg: Arg): string => arg?.sql ?? 'NULL';

/** The value of a column in the row of a view whose key is the argument. */
function lookup(view: string, column: string, key: string, type: SqlType): FunctionRule {
  return {
    arity: [1, 2],
    translate: ([value], { viewName }) => ({
      sql: `(SELECT v.${column} FROM ${viewName(view)} AS v WHERE v.${key} = ${sql(value)} LIMIT 1)`,
      type,
    }),
  };
}

/** OBJECT_ID of a name with or without its schema and database; a table of `cdc` is one too. */
const objectId: FunctionRule = {
  arity: [1, 2],
  translate: ([name, kind], { viewName }) => {
    const part = (fromRight: number): string => `ts_parse_name(${sql(name)}, ${fromRight})`;
    const schema = `coalesce(nullif(${part(2)}, ''), 'dbo')`;
    const ofKind = kind ? ` AND o.type = trim(${kind.sql})` : '';
    return {
      sql:
        `(SELECT o.object_id FROM ${viewName('sys.objects')} AS o ` +
        `JOIN ${viewName('sys.schemas')} AS s ON s.schema_id = o.schema_id ` +
        `WHERE o.name = ${part(1)} AND s.name = ${schema}${ofKind} LIMIT 1)`,
      type: INT,
    };
  },
};

const objectSchemaName: FunctionRule = {
  arity: [1, 2],
  translate: ([id], { viewName }) => ({
    sql:
      `(SELECT s.name FROM ${viewName('sys.objects')} AS o JOIN ${viewName('sys.schemas')} AS s ` +
      `ON s.schema_id = o.schema_id WHERE o.object_id = ${sql(id)} LIMIT 1)`,
    type: SYSNAME,
  }),
};

const columnLookup = (column: string, type: SqlType, isByName: boolean): FunctionRule => ({
  arity: [2, 2],
  translate: ([table, key], environment) => {
    const id = isByName ? objectId.translate([table as TypedSql], environment).sql : sql(table);
    const by = isByName ? 'name' : 'column_id';
    return {
      sql:
        `(SELECT c.${column} FROM ${environment.viewName('sys.columns')} AS c ` +
        `WHERE c.object_id = ${id} AND c.${by} = ${sql(key)})`,
      type,
    };
  },
});

/** Properties of a column by the column of sys.columns that says them. */
const COLUMN_PROPERTIES: Readonly<Record<string, string>> = {
  ALLOWSNULL: 'is_nullable',
  COLUMNID: 'column_id',
  ISCOMPUTED: 'is_computed',
  ISIDENTITY: 'is_identity',
  ISROWGUIDCOL: 'is_rowguidcol',
  ISSPARSE: 'is_sparse',
  PRECISION: 'precision',
  SCALE: 'scale',
  GENERATEDALWAYSTYPE: 'generated_always_type',
  ISHIDDEN: 'is_hidden',
};

const columnProperty: FunctionRule = {
  arity: [3, 3],
  translate: ([id, column, property], { viewName }) => {
    const known = COLUMN_PROPERTIES[(property?.text ?? '').toUpperCase()] ?? 'NULL';
    return {
      sql: `(SELECT c.${known} FROM ${viewName('sys.columns')} AS c WHERE c.object_id = ${sql(id)} AND c.name = ${sql(column)})`,
      type: INT,
    };
  },
};

const objectProperty: FunctionRule = {
  arity: [2, 2],
  translate: ([id, property], { viewName }) => {
    const name = (property?.text ?? '').toUpperCase();
    const object = (column: string): string =>
      `(SELECT ${column} FROM ${viewName('sys.objects')} AS o WHERE o.object_id = ${sql(id)})`;
    const key = `(SELECT count(*) > 0 FROM ${viewName('sys.key_constraints')} AS k WHERE k.parent_object_id = ${sql(id)} AND k.type = 'PK')`;
    const answers: Readonly<Record<string, string>> = {
      ISTABLE: object("o.type = 'U'"),
      ISUSERTABLE: object("o.type = 'U' AND o.is_ms_shipped = 0"),
      ISMSSHIPPED: object('o.is_ms_shipped'),
      TABLEHASPRIMARYKEY: key,
    };
    return { sql: answers[name] ?? 'NULL', type: INT };
  },
};

const databaseName: FunctionRule = {
  arity: [0, 1],
  translate: ([id], environment: Environment) => ({
    sql: id
      ? `(SELECT d.name FROM ${environment.viewName('sys.databases')} AS d WHERE d.database_id = ${id.sql})`
      : quoteText(environment.databaseName),
    type: SYSNAME,
  }),
};

const databaseId: FunctionRule = {
  arity: [0, 1],
  translate: ([name], environment) => ({
    sql: `(SELECT d.database_id FROM ${environment.viewName('sys.databases')} AS d WHERE d.name = ${name?.sql ?? quoteText(environment.databaseName)})`,
    type: { name: 'smallint' },
  }),
};

const databaseProperty: FunctionRule = {
  arity: [2, 2],
  translate: ([name, property], { viewName }) => {
    const columns: Readonly<Record<string, string>> = {
      COLLATION: 'collation_name',
      STATUS: 'state_desc',
      RECOVERY: 'recovery_model_desc',
      USERACCESS: 'user_access_desc',
      UPDATEABILITY: "iif(is_read_only, 'READ_ONLY', 'READ_WRITE')",
    };
    const column = columns[(property?.text ?? '').toUpperCase()] ?? 'NULL';
    return {
      sql: `(SELECT ${column} FROM ${viewName('sys.databases')} AS d WHERE d.name = ${sql(name)})`,
      type: { name: 'sql_variant' },
    };
  },
};

/** Functions that look into the catalog. */
export const CATALOG_FUNCTIONS: Readonly<Record<string, FunctionRule>> = {
  DB_NAME: databaseName,
  DB_ID: databaseId,
  DATABASEPROPERTYEX: databaseProperty,
  SCHEMA_NAME: {
    arity: [0, 1],
    translate: ([id], environment) =>
      id
        ? lookup('sys.schemas', 'name', 'schema_id', SYSNAME).translate([id], environment)
        : { sql: "'dbo'", type: SYSNAME },
  },
  SCHEMA_ID: lookup('sys.schemas', 'schema_id', 'name', INT),
  OBJECT_NAME: lookup('sys.objects', 'name', 'object_id', SYSNAME),
  OBJECT_ID: objectId,
  OBJECT_SCHEMA_NAME: objectSchemaName,
  OBJECT_DEFINITION: lookup('sys.sql_modules', 'definition', 'object_id', nvarchar(-1)),
  TYPE_NAME: lookup('sys.types', 'name', 'user_type_id', SYSNAME),
  TYPE_ID: lookup('sys.types', 'user_type_id', 'name', INT),
  COL_NAME: columnLookup('name', SYSNAME, false),
  COL_LENGTH: columnLookup('max_length', { name: 'smallint' }, true),
  COLUMNPROPERTY: columnProperty,
  OBJECTPROPERTY: objectProperty,
  OBJECTPROPERTYEX: objectProperty,
};
