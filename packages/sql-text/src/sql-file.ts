import {
  buildGeneratedFile,
  type GeneratedFile,
  type HeaderFacts,
} from '@cdc-migrations/generated-file';

/** A generated SQL file. It contains no transaction control: the caller runs it in one transaction. */
export type SqlFile = GeneratedFile;

/** Builds a file with its header. The body ends in exactly one newline. */
export function buildSqlFile(path: string, facts: HeaderFacts, body: string): SqlFile {
  return buildGeneratedFile(path, facts, body.trimEnd() + '\n');
}
