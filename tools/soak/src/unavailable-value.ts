/** What Debezium sends, by the type of a column, for a large value that did not change. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  text: '__debezium_unavailable_value',
  'character varying(2000)': '__debezium_unavailable_value',
  json: '__debezium_unavailable_value',
  jsonb: '__debezium_unavailable_value',
  xml: '__debezium_unavailable_value',
  bytea: `\\x${Buffer.from('__debezium_unavailable_value').toString('hex')}`,
};

/** The text that stands for an unchanged value in a column of that type; undefined where a value is always sent. */
export function unavailableValue(type: string): string | undefined {
  return UNAVAILABLE[type];
}
