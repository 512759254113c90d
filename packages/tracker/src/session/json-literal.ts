import { quoteLiteral } from '@cdc-migrations/sql-text';

/** Renders a value as an SQL literal of type `jsonb`. */
export function jsonLiteral(value: unknown): string {
  return `${quoteLiteral(JSON.stringify(value))}::jsonb`;
}
