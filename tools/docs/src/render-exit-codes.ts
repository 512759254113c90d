import { markdownTable } from './markdown-table.ts';

/** Meaning of each exit code. A test compares the codes with those of the command line. */
const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'The command is done, or there is nothing to do.',
  1: 'The command found differences, drift, problems or unfinished work. The help of each command lists the cases.',
  2: 'There is a mistake in the options or the configuration, a database cannot be reached, or the program has a bug. The message states which.',
  3: 'Some schemas, tables or databases failed, were not processed, or have events that cannot be merged.',
  4: 'Another `apply` holds the lock, or another session has locked a table that the command needs.',
  5: 'The command refused an unsafe change, a rename, or a `reload` or `retire` that would lose rows or events. The command also ends with this code if a schema with applied files is missing.',
  6: 'A generated file was edited, or another file has the name of a generated file.',
};

/** Renders the exit codes and their precedence. */
export function renderExitCodes(): string {
  const rows = Object.entries(EXIT_CODES).map(([exitCode, says]) => [exitCode, says]);
  return `${markdownTable(['code', 'meaning'], rows)}\n\nIf several codes apply, the command ends with the first of them in this order: 6, 2, 4, 3, 5, 1.`;
}
