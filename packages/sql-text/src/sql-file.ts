import {
  buildGeneratedFile,
  type GeneratedFile,
  type HeaderFacts,
} from '@cdc-migrations/generated-file';

/** A file of SQL that we write. It holds no transaction control: whoever runs it makes it one transaction. */
export type SqlFile = GeneratedFile;

/** Builds a file with its header; the body ends in exactly one newline. */
export function buildSqlFile(path: string, facts: HeaderFacts, body: string): SqlFile {
  return buildGeneratedFile(path, facts, body.trimEnd() + '\n');
}
