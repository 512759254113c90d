/** Debezium's placeholders for an unchanged large value, by column type. */
const UNAVAILABLE: Readonly<Record<string, string>> = {
  text: '__debezium_unavailable_value',
  'character varying(2000)': '__debezium_unavailable_value',
  json: '__debezium_unavailable_value',
  jsonb: '__debezium_unavailable_value',
  xml: '__debezium_unavailable_value',
  bytea: `\\x${Buffer.from('__debezium_unavailable_value').toString('hex')}`,
};

/** Returns the placeholder for an unchanged value of a type, or undefined if values are always sent. */
export function unavailableValue(type: string): string | undefined {
  return UNAVAILABLE[type];
}
