import type { Config } from '@cdc-migrations/config';
import type { SchemaDocsOptions } from './schema-docs.ts';

/** Later. */
export async function compareCustomers(
  _root: string,
  _config: Config,
  _options: SchemaDocsOptions,
): Promise<number> {
  return 0;
}
