import { locateTables } from '../check/compare-relations.ts';
import { matchesAny } from './match-names.ts';
import type { Migrations } from '../migrations/migrations.ts';
import { listSchemas, type PlanOptions } from '../apply/plan-apply.ts';
import { readIfThere } from '../session/read-if-there.ts';
import type { Session } from '../session/session.ts';

/** A table in the bookkeeping of a target: its merges, or its applied files. */
export interface KnownTable {
  readonly schema: string;
  readonly table: string;
  /** Current name of its final table, found by its id. Null if it is unknown or was dropped. */
  readonly now: { readonly schema: string; readonly table: string } | null;
}

/** Reads the tables in the bookkeeping of a target. Returns undefined if the bookkeeping is older. */
export async function readKnownTables(
  session: Session,
): Promise<readonly KnownTable[] | undefined> {
  return readIfThere(() =>
    session.read<KnownTable>(`SELECT schema_name AS schema, table_name AS table,
  CASE WHEN now_table IS NOT NULL THEN pg_catalog.jsonb_build_object('schema', now_schema, 'table', now_table) END AS now
FROM cdc_management.known_tables()
ORDER BY schema_name COLLATE "C", table_name COLLATE "C"`),
  );
}

/** True if the definitions have a table in a schema. */
export type IsDefined = (schema: string, table: string) => boolean;

/** Returns a function that knows all tables of the configuration by schema, independent of the command's selection. */
export function definedTables(migrations: Migrations, options: PlanOptions): IsDefined {
  const tenants = options.knownTenants ?? options.tenants;
  const locations = locateTables(migrations, listSchemas(migrations, { tenants }), tenants);
  const keys = new Set(locations.map(({ schema, table }) => `${schema}\0${table.name}`));
  return (schema, table) => keys.has(`${schema}\0${table}`);
}

/** A table in the bookkeeping that the configuration does not have, or has under another name. */
export interface Leftover {
  readonly schema: string;
  /** Null for a whole schema without a tenant. */
  readonly table: string | null;
  readonly message: string;
}

/** Lists objects that left the configuration or were renamed by hand, with the command that cleans up. */
export function findLeftovers(
  known: readonly KnownTable[],
  migrations: Migrations,
  options: PlanOptions,
): readonly Leftover[] {
  const isDefined = definedTables(migrations, options);
  const schemas = new Set(
    listSchemas(migrations, { tenants: options.knownTenants ?? options.tenants }),
  );
  const left = known.filter(
    ({ schema, table }) => matchesAny(schema, options.only) && !isDefined(schema, table),
  );
  const leftSchemas = [
    ...new Set(left.map(({ schema }) => schema).filter((one) => !schemas.has(one))),
  ];
  return [
    ...leftSchemas.map((schema): Leftover => {
      const now = left.find((one) => one.schema === schema && one.now)?.now?.schema;
      return { schema, table: null, message: describeLeft('customer', schema, now) };
    }),
    ...left
      .filter(({ schema }) => schemas.has(schema))
      .map(({ schema, table, now }): Leftover => ({
        ...{ schema, table },
        message: describeLeft('table', table, now?.table),
      })),
  ];
}

const WHAT = {
  customer: 'not a tenant any more',
  table: 'not in the definitions any more',
} as const;

function describeLeft(kind: keyof typeof WHAT, name: string, now: string | undefined): string {
  const rename = (to: string) => `cdc manage-migrations rename --${kind} ${word(name)} --to ${to}`;
  return now !== undefined && now !== name
    ? `renamed to "${now}" by hand without its bookkeeping: ${rename(word(now))}`
    : `${WHAT[kind]}: cdc manage-migrations retire --${kind} ${word(name)}, or, if it has another name now, ${rename('<name>')}`;
}

/** Quotes a word of a shell command. */
function word(name: string): string {
  return /^[\p{L}\p{N}_.-]+$/u.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
