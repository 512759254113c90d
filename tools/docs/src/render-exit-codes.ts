import { markdownTable } from './markdown-table.ts';

/** Meaning of each exit code. A test compares the codes with those of the command line. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done, or nothing to do',
  1: 'differences or findings: definitions have changed (`diff`), files are stale (`--check`), a customer differs (`schema-docs --compare`), files are not applied (`status`), a target has drift (`check`, `baseline`), rows differ (`verify`), an INSERT does not match (`manage-pipelines check`), an object that merges need was changed (`status`, `apply`), a schema has changed since the plan (`apply --plan`), events do not reach their tables because of failed merges, dead letters, refused events or a possible loss (`status`, `dead-letters list`), dead letters failed again (`merge --replay-dead-letters`, `dead-letters replay`), rows were not read again yet (`reload status`), a rotation waits for consumers (`enable-cdc`), lint findings (`lint`), warnings (`doctor`)',
  2: 'a mistake in the options or the configuration, a database that cannot be reached, or a bug of the program, which the message states',
  3: 'some schemas, tables or databases failed, did not start, or cannot be merged',
  4: 'another `apply` holds the lock, or another session has locked a table that the command needs',
  5: 'an unsafe change was refused, `reload` or `retire` would lose rows or events, a rename was refused, or a schema with applied files is missing',
  6: 'a generated file was edited, or another file has the name of a generated one',
};

/** Renders the exit codes and their precedence. */
export function renderExitCodes(): string {
  const rows = Object.entries(EXIT_CODES).map(([exitCode, says]) => [exitCode, says]);
  return `${markdownTable(['code', 'meaning'], rows)}\n\nIf several apply, the exit code is the first in this order: 6, 2, 4, 3, 5, 1.`;
}
