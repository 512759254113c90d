import { parsePgType, type ColumnDefinition } from '@cdc-migrations/table-defs';
import type { ColumnTemplate } from '@cdc-migrations/config';
import type { FlowTable } from './plan-flows.ts';

/**
 * Renders a text as Bloblang in a configuration. Bento replaces `${VAR}` in the bytes of the file before it parses
 * them, so a name with `${` is written without this sequence.
 */
export function bloblangText(text: string): string {
  return JSON.stringify(text).replaceAll('${', '\\u0024{');
}

/**
 * Renders the mapping that determines the table of an event and its problems, once for each event. The event itself is
 * not changed. Kafka tombstones end here. The id of the customer is read at run time, because `${…}` would make it a
 * part of the mapping.
 */
export function tableMapping(hasCustomer: boolean): string {
  return `let event = content().parse_json(use_number: true).(this.payload | this).catch({})
root = if content().length() == 0 { deleted() }
let table = $event.source.schema.string() + "." + $event.source.table.string() | ""
meta cdc_source = $table
meta table = $event.source.table | null
${hasCustomer ? 'meta customer_id = env("CDC_CUSTOMER_ID") | ""\n' : ''}# What is no UTF-8 becomes this letter when JSON is read, and would be stored so.
let is_broken = content().re_match("\\\\x{FFFD}")
meta cdc_fault = match {
  $is_broken => "the value is not UTF-8, or has the letter U+FFFD",
  !$event.exists("source") => "expected an event with source, found something else",
  _ => "no pipeline for this table",
}
meta cdc_table = if $is_broken { "" } else { $table }
`;
}

/** Conversions of JSON values that PostgreSQL does not do. */
const MAPS: Readonly<Record<string, string>> = {
  base64: '  root = if this == null { null } else { this.decode("base64") }',
  base64url: '  root = if this == null { null } else { this.decode("base64url") }',
  hex: '  root = if this == null { null } else { this.decode("hex") }',
  text: '  root = if ["object", "array"].contains(this.type()) { this.format_json(no_indent: true) } else { this }',
  bits: `  root = match this {
    this == null => null,
    this == true => "1",
    this == false => "0",
    _ => this.decode("base64").reverse().encode("hex").split("").map_each(digit -> {
      "0": "0000", "1": "0001", "2": "0010", "3": "0011", "4": "0100", "5": "0101", "6": "0110", "7": "0111",
      "8": "1000", "9": "1001", "a": "1010", "b": "1011", "c": "1100", "d": "1101", "e": "1110", "f": "1111",
    }.get(digit)).join("").re_replace_all("^0+", ""),
  }`,
  array: `  root = if this == null { null } else {
    "{" + this.map_each(item -> match item.type() {
      this == "null" => "NULL",
      this == "array" => item.apply("array"),
      _ => "\\"" + item.string().replace_all("\\\\", "\\\\\\\\").replace_all("\\"", "\\\\\\"") + "\\"",
    }).join(",") + "}"
  }`,
};

/** Renders the mapping of a table: its values in the order of `columns`. */
export function argsMapping(
  flowTable: FlowTable,
  columns: readonly string[],
  templates: ReadonlyMap<string, ColumnTemplate>,
  transforms: ReadonlyMap<string, string>,
): string {
  const { table, sink } = flowTable;
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const values = columns.map((name) => {
    const column = byName.get(name);
    return metadataOf(table).get(name) ?? valueOf(column!, flowTable, templates);
  });
  const used = sink.transforms.filter(({ expectedOutputColumn }) => expectedOutputColumn);
  const maps = Object.entries(MAPS).filter(([name]) =>
    values.some((value) => value.includes(`apply("${name}")`)),
  );
  return [
    ...maps.map(([name, body]) => `map ${name} {\n${body}\n}`),
    ...used.map(
      ({ bloblangRef }, index) =>
        `map transform_${index} {\n${indent(transforms.get(bloblangRef)!.trim())}\n}`,
    ),
    eventOf(flowTable),
    ...(flowTable.includesOnly ? [] : [unknownColumns(flowTable)]),
    ...used.map((_, index) => `let transform_${index} = $row.apply("transform_${index}")`),
    `root = [\n${values.map((value) => `  ${value},\n`).join('')}]\n`,
  ].join('\n');
}

const MILLISECONDS =
  'let ms = @kafka_timestamp_ms.number() | @kafka_timestamp_unix.number() * 1000';

/**
 * Renders the row of an event. For a delete without its row, the key comes from Kafka. If the log does not have the
 * complete row, Debezium sends the key and an empty text for NOT NULL columns, which is not a valid uuid.
 */
function eventOf({ table }: FlowTable): string {
  const sources = new Map(table.columns.map(({ name, source }) => [name, source?.name ?? name]));
  const keys = (table.key?.columns ?? []).map((name) => bloblangText(sources.get(name)!));
  return `let event = content().parse_json(use_number: true).(this.payload | this)
let row = if $event.op == "d" {
  ($event.before | @kafka_key.parse_json(use_number: true).(this.payload | this).catch({})).filter(field -> field.value != "" || [${keys.join(', ')}].contains(field.key))
} else { $event.after | {} }
${MILLISECONDS}`;
}

/**
 * Renders a check that refuses values of unknown columns. The source has a new column then, and its values would be
 * lost. Excluded columns are known.
 */
function unknownColumns({ table, absent }: FlowTable): string {
  const known = [...table.columns.flatMap(({ source }) => source?.name ?? []), ...absent.keys()];
  const paths = known.map((name) => bloblangText(name.replaceAll('~', '~0').replaceAll('.', '~1')));
  return `let unknown = if $event.op == "d" { [] } else {
  $row.without(${paths.join(', ')}).filter(field -> field.value != null).keys().sort()
}
let all_known = if $unknown.length() > 0 {
  throw("unknown column " + $unknown.map_each(name -> name.format_json(no_indent: true)).join(", ") +
    "; read the source again and generate, or set include_columns")
}`;
}

/** Returns the values that `refused_event` keeps of an event of any shape, by its column names. */
export function refusedValues(table?: FlowTable['table']): Readonly<Record<string, string>> {
  return {
    schema_name: '$final.0',
    table_name: '$final.1',
    topic: '@kafka_topic',
    kafka_partition: '@kafka_partition',
    kafka_offset: '@kafka_offset',
    kafka_timestamp: METADATA.get('__kafka_timestamp')!,
    stream_generation: metadataOf(table).get('__stream_generation')!,
    source: '$event.source.name | $event.source.connector | null',
    source_db: '$event.source.db | null',
    source_table: '$event.source.table | null',
    key: 'if (@kafka_key | "") == "" { null } else { @kafka_key.bytes() }',
    value: 'content()',
    added_values: '$added.format_json(no_indent: true)',
    error: '@fallback_error | @cdc_fault',
  };
}

/**
 * Renders the mapping of these values.
 *
 * @param schemaOf returns the schema of a table as Bloblang text
 */
export function refusedMapping(
  tables: readonly FlowTable[],
  schemaOf: (table: FlowTable) => string,
  templates: ReadonlyMap<string, ColumnTemplate>,
): string {
  const finals = tables.map(
    (each) => `  ${tableText(each)}: [${schemaOf(each)}, ${bloblangText(each.table.name)}],\n`,
  );
  const added = new Map<string, string[]>();
  for (const each of tables) {
    const values = addedValues(each, templates);
    added.set(values, [...(added.get(values) ?? []), tableText(each)]);
  }
  const choices = [...added].map(
    ([values, names]) => `  [${names.join(', ')}].contains(@cdc_source) => ${values},\n`,
  );
  return `let event = content().parse_json(use_number: true).(this.payload | this).catch({})
let row = $event.after | $event.before | {}
${MILLISECONDS}
let finals = {
${finals.join('')}}
let final = $finals.get(@cdc_source.replace_all("~", "~0").replace_all(".", "~1")) | [null, null]
let added = match {
${choices.join('')}  _ => {},
}
root = [
${Object.values(refusedValues(tables[0]?.table))
  .map((value) => `  ${value},\n`)
  .join('')}]
`;
}

/** Renders the values that the pipeline adds to a row. */
function addedValues(each: FlowTable, templates: ReadonlyMap<string, ColumnTemplate>): string {
  const values = each.table.columns
    .filter(({ role }) => role === 'template')
    .map((column) => `${bloblangText(column.name)}: ${valueOf(column, each, templates)}`);
  return `{ ${values.join(', ')} }`;
}

/** Names a table in the metadata `cdc_source`, and in `cdc_table` if the event can be staged. */
export function tableText({ table: { source } }: FlowTable): string {
  return bloblangText(`${source.schema}.${source.table}`);
}

/** Origin of the metadata values. */
const METADATA = new Map(
  Object.entries<string>({
    __kafka_offset: '@kafka_offset',
    __kafka_partition: '@kafka_partition',
    __stream_generation: '"${CDC_STREAM_GENERATION:0}"',
    __source_ts_ms: '$event.source.ts_ms',
    __cdc_operation: '$event.op',
    __source_db: '$event.source.db',
    __source_table: '$event.source.table',
    __sync_timestamp: 'now()',
    __source: '$event.source.name | $event.source.connector',
    __kafka_timestamp:
      '($ms / 1000).floor().ts_format("2006-01-02T15:04:05", "UTC") + "." + "%03d".format(($ms % 1000).int64()) + "Z"',
  }),
);

/** Returns the metadata mapping. If changes are read from SQL Server, the generation is a part of the LSN. */
function metadataOf(table: Pick<FlowTable['table'], 'positions'> | undefined) {
  return table?.positions === 'lsn'
    ? new Map([...METADATA, ['__stream_generation', '@cdc_generation']])
    : METADATA;
}

function valueOf(
  column: ColumnDefinition,
  { sink, events }: FlowTable,
  templates: ReadonlyMap<string, ColumnTemplate>,
): string {
  if (column.source)
    return convert(`$row.${bloblangText(column.source.name)}`, column, events.binary);
  const transform = sink.transforms
    .filter(({ expectedOutputColumn }) => expectedOutputColumn)
    .findIndex(({ expectedOutputColumn }) => expectedOutputColumn === column.name);
  if (transform >= 0) return `$transform_${transform}.${bloblangText(column.name)}`;
  const use = sink.columnTemplates.find(
    ({ template, name }) => (name ?? templates.get(template)?.name) === column.name,
  );
  const value = use?.value ?? (use && templates.get(use.template)?.value);
  if (value === undefined) return 'null';
  return /^\$\{[^}]*\}$/.test(value) ? `"${value}"` : `$row.(${value})`;
}

/** Base types whose JSON values PostgreSQL reads directly. */
const PLAIN =
  /^(?:smallint|integer|bigint|real|double precision|numeric|boolean|text|character|character varying|bpchar|uuid|date|interval|time.*)$/;

function convert(path: string, column: ColumnDefinition, binary: string): string {
  const map = mapOf(column, binary);
  if (map === undefined) return path;
  const name = bloblangText(`column "${column.name}": `);
  return `${path}.apply("${map}").catch(reason -> throw(${name} + reason.string()))`;
}

/** Returns the conversion of a column's values, or undefined if PostgreSQL reads the JSON values directly. */
function mapOf(
  { type, form }: Pick<ColumnDefinition, 'type' | 'form'>,
  binary: string,
): string | undefined {
  if (form !== undefined) return form === 'decimal_struct' ? 'text' : undefined;
  const { base = type, array } = parsePgType(type) ?? {};
  if (array) return 'array';
  if (base === 'bytea') return DECODED[binary] ?? 'base64';
  if (base === 'bit' || base === 'bit varying') return 'bits';
  return PLAIN.test(base) ? undefined : 'text';
}

const DECODED: Readonly<Record<string, string>> = { hex: 'hex', 'base64-url-safe': 'base64url' };

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
