import { CommanderError } from 'commander';
import { CommandError, EXIT } from './exit-code.ts';
import { buildProgram } from './program.ts';
import { endWithReader, printJson, printMessage } from './print.ts';

/** Errors of the libraries that speak of the user's files: their message is all there is to say. */
const USER_ERRORS = new Set(['CommandError', 'ConfigError', 'FileError', 'RepoPathError']);

endWithReader();

// What a driver does that a later Node will not like is nothing that a user can mend.
process.noDeprecation = true;

try {
  await buildProgram({ setExitCode: (exitCode) => (process.exitCode = exitCode) }).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  report(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof Error && 'isEdited' in error && error.isEdited === true) return EXIT.edited;
  return error instanceof CommanderError && error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

function report(error: unknown): void {
  const message = messageOf(error);
  // Commander has printed what it says, and help is no failure.
  if (!(error instanceof CommanderError)) printMessage(message);
  if (process.exitCode === EXIT.done || !process.argv.includes('--json')) return;
  printJson({ exitCode: process.exitCode, errors: message.split('\n') });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CommanderError || USER_ERRORS.has(error.name)) return error.message;
  return `${error.stack}\nThis is a defect of cdc manage-migrations, not of your files.`;
}
