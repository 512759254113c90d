import type { PostgresServer } from '@cdc-migrations/postgres-fixture';

type Sql = ReturnType<PostgresServer['connect']>;

const TYPES = [
  ...[
    'text',
    'varchar',
    'bpchar',
    'name',
    '"char"',
    'boolean',
    'smallint',
    'integer',
    'bigint',
    'numeric',
  ],
  ...[
    'double precision',
    'oid',
    'regclass',
    'regproc',
    'regprocedure',
    'regtype',
    'regnamespace',
    'regrole',
    'tid',
  ],
  ...[
    'xid',
    'xid8',
    'timestamptz',
    'interval',
    'jsonb',
    'bytea',
    'int8range',
    'int8multirange',
    'text[]',
    'name[]',
  ],
  ...['bigint[]', 'smallint[]', 'oid[]', 'int2vector'],
];
const OPERATORS = '= <> < > <= >= || -> ->> #>> - + * / % & | << >> @> ? ~ !~ ~~ !~~';
const FUNCTIONS = `abs age array_agg array_length array_position array_to_string bit_and bit_or bool_and bool_or btrim cardinality
  chr clock_timestamp concat concat_ws convert_from convert_to count current_setting date_part date_trunc decode encode
  extract floor format format_type generate_series greatest hashtext hashtextextended int8multirange int8range isempty
  jsonb_agg jsonb_array_elements jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
  jsonb_object_agg jsonb_strip_nulls jsonb_typeof left length lower make_interval max md5 min now nullif num_nulls
  octet_length pg_describe_object pg_get_expr pg_relation_size pg_size_pretty pg_sleep pg_typeof quote_ident quote_literal
  quote_nullable range_agg range_merge regexp_match regexp_replace repeat replace right round row_number row_to_json rtrim
  set_config sha256 split_part statement_timestamp string_agg strpos substr substring sum timezone to_char to_jsonb
  to_regclass to_regprocedure to_regtype to_timestamp trim_array trunc unnest upper`;

const DOMAINS = `bool bpchar bytea date float8 int2 int4 int8 int8multirange int8range interval json jsonb name numeric oid
  regclass regproc regprocedure regtype text tid time timestamp timestamptz uuid varchar xid8 xml`;
const CATALOGS = `pg_attrdef pg_attribute pg_class pg_constraint pg_database pg_depend pg_index pg_inherits
  pg_locks pg_namespace pg_prepared_xacts pg_proc pg_rewrite pg_roles pg_settings pg_stat_activity pg_trigger pg_type pg_views`;

/**
 * Creates traps in `public`, as any role with CREATE there may. For each function and operator of PostgreSQL that needs
 * a conversion of its arguments, a trap has the exact types and is the better match. Types and catalogs of PostgreSQL
 * exist as domains and views. A call or read fails and leaves a trace, even if the failure is rolled back or caught.
 */
export async function setTraps(sql: Sql): Promise<void> {
  await sql.unsafe(`SET search_path = pg_catalog;
SET check_function_bodies = off; -- some 20,000 functions
CREATE SEQUENCE public.trap;
CREATE FUNCTION public.spring(p_what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_catalog.nextval('public.trap');
  RAISE EXCEPTION 'trapped by %', p_what;
END $$;
GRANT ALL ON SEQUENCE public.trap TO PUBLIC;
DO $traps$
DECLARE
  v_types constant text[] := ARRAY[${TYPES.map((type) => `'${type}'`).join(', ')}];
  v_body text;
  v_type text;
  v_other text;
  v_name text;
  v_arguments text;
BEGIN
  FOREACH v_type IN ARRAY v_types LOOP
    FOREACH v_other IN ARRAY v_types LOOP
      v_name := pg_catalog.format('on %s and %s', v_type, v_other);
      v_body := pg_catalog.format('BEGIN PERFORM public.spring(%L); RETURN true; END', v_name);
      EXECUTE pg_catalog.format('CREATE FUNCTION public.%I(%s, %s) RETURNS boolean LANGUAGE plpgsql AS %L', v_name, v_type, v_other, v_body);
      FOR v_name IN SELECT pg_catalog.unnest(pg_catalog.string_to_array('${OPERATORS}', ' ')) LOOP
        CONTINUE WHEN EXISTS (
          SELECT FROM pg_catalog.pg_operator
          WHERE oprname = v_name AND oprleft = v_type::regtype AND oprright = v_other::regtype);
        EXECUTE pg_catalog.format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.%I)',
          v_name, v_type, v_other, pg_catalog.format('on %s and %s', v_type, v_other));
      END LOOP;
    END LOOP;
    FOR v_name IN SELECT pg_catalog.regexp_split_to_table('${FUNCTIONS.replace(/\s+/g, ' ')}', ' ') LOOP
      FOREACH v_arguments IN ARRAY ARRAY['%1$s', '%1$s, %1$s', 'text, %1$s', 'text, %1$s, %1$s', '%1$s, text'] LOOP
        v_arguments := pg_catalog.format(v_arguments, v_type);
        CONTINUE WHEN pg_catalog.to_regprocedure(pg_catalog.format('public.%I(%s)', v_name, v_arguments)) IS NOT NULL;
        EXECUTE pg_catalog.format('CREATE FUNCTION public.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', v_name, v_arguments,
          pg_catalog.format('BEGIN PERFORM public.spring(%L); RETURN NULL; END', v_name));
      END LOOP;
    END LOOP;
  END LOOP;
  FOR v_name IN SELECT pg_catalog.regexp_split_to_table('${DOMAINS.replace(/\s+/g, ' ')}', ' ') LOOP
    EXECUTE pg_catalog.format('CREATE DOMAIN public.%1$I AS pg_catalog.%1$I CHECK (public.spring(%2$L)::text IS NULL)', v_name, 'domain ' || v_name);
  END LOOP;
  FOR v_name IN SELECT pg_catalog.regexp_split_to_table('${CATALOGS.replace(/\s+/g, ' ')}', ' ') LOOP
    -- A view can have no column of a pseudo-type.
    EXECUTE pg_catalog.format('CREATE VIEW public.%1$I AS SELECT %3$s FROM pg_catalog.%1$I AS real
      CROSS JOIN LATERAL (SELECT public.spring(%2$L) OFFSET 0) AS trap (sprung) WHERE trap.sprung IS NOT NULL',
      v_name, 'view ' || v_name, (
        SELECT pg_catalog.string_agg('real.' || attname, ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.format('pg_catalog.%I', v_name)::regclass AND attnum > 0 AND atttypid <> 'anyarray'::regtype));
    EXECUTE pg_catalog.format('GRANT SELECT ON public.%I TO PUBLIC', v_name);
  END LOOP;
END
$traps$`);
}

/** Returns true if anything called or read a trap. */
export async function isSprung(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ sprung: boolean }]>`SELECT is_called AS sprung FROM public.trap`;
  return row.sprung;
}
