import { CommanderError } from 'commander';
import { CommandError, EXIT } from './exit-code.ts';
import { buildProgram } from './program.ts';

/** Errors of the libraries that speak of the user's files: their message is all there is to say. */
const USER_ERRORS = new Set(['ConfigError', 'SnapshotError']);

try {
  await buildProgram({ setExitCode: (exitCode) => (process.exitCode = exitCode) }).parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CommandError) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof Error && USER_ERRORS.has(error.name)) {
    process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\nThis is a defect of cdc manage-migrations, not of your files.\n`);
  return EXIT.usage;
}
