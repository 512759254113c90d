import { InvalidPortError, MissingVariablesError } from '@cdc-migrations/session';
import { RepoPathError, visible } from '@cdc-migrations/generated-file';
import {
  EncodingError,
  FilesRefusedError,
  ForeignObjectsError,
  HistoryError,
  LockLostError,
  LockNotObtainedError,
  ManifestMissingError,
  ManualFilesEditedError,
  NoBookkeepingError,
  NoConnectionError,
  NotDefinedError,
  PlaceholderError,
  RoleMissingError,
  ClientCommandError,
  SeveralStatementsError,
  StandbyError,
  StillDefinedError,
  TargetError,
  UnknownTableError,
  UnsafeSchemaNameError,
} from '@cdc-migrations/tracker';
import { CommandError, EXIT } from '../exit-code.ts';

/** Errors that the user can fix before anything is applied. */
const USAGE = [
  EncodingError,
  ForeignObjectsError,
  NoConnectionError,
  NoBookkeepingError,
  HistoryError,
  ManifestMissingError,
  NotDefinedError,
  PlaceholderError,
  StandbyError,
  StillDefinedError,
  RoleMissingError,
  UnknownTableError,
  UnsafeSchemaNameError,
  MissingVariablesError,
  InvalidPortError,
  RepoPathError,
];

/** SQLSTATE of a lock timeout. */
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Converts an error of a target to one that ends a command with its exit code. Returns a defect unchanged.
 *
 * @param label name of the target
 * @param location location of the target in sink-groups.yaml, because values of variables are not printed
 */
export function locateTargetError(error: unknown, label: string, location?: string): unknown {
  if (!(error instanceof Error)) return error;
  const as = (exitCode: number, message = error.message) =>
    new CommandError(`${label}: ${message}`, exitCode);
  if (error instanceof FilesRefusedError) {
    const isEdited = error.problems.some(({ problem }) => problem === 'edited');
    return new CommandError(error.message, isEdited ? EXIT.edited : EXIT.usage);
  }
  if (error instanceof ManualFilesEditedError) return new CommandError(error.message, EXIT.edited);
  if (error instanceof SeveralStatementsError || error instanceof ClientCommandError) {
    return new CommandError(error.message);
  }
  if (error instanceof LockNotObtainedError) return as(EXIT.locked);
  if (error instanceof LockLostError) return as(EXIT.tenantsFailed);
  if (error instanceof TargetError) {
    return as(
      error.code === LOCK_NOT_AVAILABLE ? EXIT.locked : EXIT.usage,
      describeTarget(error, location),
    );
  }
  return USAGE.some((kind) => error instanceof kind) ? as(EXIT.usage) : error;
}

/** Runs a read or check of a target and locates its errors. */
export function locating<Result>(label: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw locateTargetError(error, label);
  }
}

function describeTarget(
  { kind, message, hint }: TargetError,
  location: string | undefined,
): string {
  const at = location === undefined ? '' : ` at ${location}`;
  const text = kind === 'connection' ? `cannot be reached${at}: ${message}` : message;
  return visible(hint ? `${text} (${hint})` : text); // One line, even if the server's message has several.
}
