import { markdownTable } from './markdown-table.ts';

/** Meaning of each exit code. A test compares the codes with those of the command line. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done, or nothing to do',
  1: 'differences: something changed (`diff`), files are stale (`--check`), a customer differs (`schema-docs --compare`), something is not applied (`status`), a target differs (`check`, `baseline`), rows differ (`verify`), an INSERT does not fit (`manage-pipelines check`), somebody changed what merges need (`status`, `apply`), something has changed since a plan was written (`apply --plan`), events do not arrive: failed merges, dead letters, refused events, a possible loss (`status`, `dead-letters list`), dead letters came back (`merge --replay-dead-letters`, `dead-letters replay`), rows were not read again yet (`reload status`)',
  2: 'usage or configuration, also a database that cannot be reached; a defect of the program, which it then says',
  3: 'some schemas, tables or databases failed, did not start, or cannot be merged',
  4: 'another `apply` holds the lock, or a lock keeps `check` or `reload` from a table',
  5: 'an unsafe change was refused, `reload` or `retire` would lose something, or a schema is missing that files were applied to',
  6: 'a generated file was edited, or a file that is not ours stands where one is to be written',
};

/** Renders the exit codes and their precedence. */
export function renderExitCodes(): string {
  const rows = Object.entries(EXIT_CODES).map(([exitCode, says]) => [exitCode, says]);
  return `${markdownTable(['code', 'says'], rows)}\n\nOf several, the first in this order: 6, 2, 4, 3, 5, 1.`;
}
