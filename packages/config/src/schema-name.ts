import { characterProblem } from '@cdc-migrations/generated-file';

const MAX_NAME_BYTES = 63;

/** Characters that a schema name must not have, because placeholders are replaced as plain text. */
const UNSAFE_LETTER = /["'\\${}]/;

/** Returns the reason why a literal schema cannot have this name, or undefined if it can. */
export function schemaNameProblem(name: string): string | undefined {
  if (name === '') return 'a schema name is empty';
  const problem = characterProblem(name);
  if (problem !== undefined) return problem;
  const letter = UNSAFE_LETTER.exec(name)?.[0];
  if (letter !== undefined) {
    return `the schema name "${name}" contains ${letter}; choose a name without quotes, backslashes, $, braces or control characters`;
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    return `the schema name "${name}" is ${bytes} bytes long; choose one of at most ${MAX_NAME_BYTES}`;
  }
  const owner = ownerOf(name);
  return owner === undefined
    ? undefined
    : `the schema name "${name}" belongs to ${owner}; choose another`;
}

/**
 * Returns the reason why a customer or service cannot have this name, or undefined if it can. Its schema has the same
 * name.
 */
export function tenantNameProblem(name: string): string | undefined {
  if (name.toLowerCase() === 'public') {
    return `"${name}" cannot be a tenant: the schema public exists in every database and is shared; choose another name`;
  }
  return schemaNameProblem(name);
}

function ownerOf(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower.startsWith('pg_')) return 'PostgreSQL, as does every name that begins with pg_';
  if (lower === 'information_schema') return 'PostgreSQL';
  if (lower === 'cdc_management') return 'the bookkeeping of this tool';
  return undefined;
}
