import { characterProblem } from '@cdc-migrations/generated-file';
import { CommandError } from '../exit-code.ts';

const MAX_NAME_BYTES = 63;
const DEFAULT_ROLE = 'postgres';

/**
 * Reads the role for grants from `CDC_DB_USER`. Accepts every role name of PostgreSQL, including quotes.
 *
 * @throws CommandError for an impossible name. PostgreSQL reads even a quoted "public" as everybody.
 */
export function readRole({ CDC_DB_USER: role = DEFAULT_ROLE }: NodeJS.ProcessEnv): string {
  const problem = problemOf(role);
  if (problem === undefined) return role;
  throw new CommandError(
    `CDC_DB_USER ${problem}; set it to the name of a PostgreSQL role or unset it`,
  );
}

/** A manifest whose files grant to another role than before. */
export interface RoleChange {
  /** Path of the manifest. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A refused change of the role, with its problem and the way out. */
export interface UnsetRole {
  readonly problem: string;
  readonly solution: string;
}

/**
 * Refuses to grant to the default role in place of a role that somebody chose. Returns an item for each manifest, or
 * none if `CDC_DB_USER` is set, because that is a change on purpose.
 */
export function unsetRoles(
  changes: readonly RoleChange[],
  { CDC_DB_USER: role }: NodeJS.ProcessEnv,
): readonly UnsetRole[] {
  if (role !== undefined) return [];
  return changes.map((change) => ({
    problem: unsetProblem(change),
    solution: unsetSolution(change),
  }));
}

/** Throws an error with a line for each manifest that `unsetRoles` refuses. */
export function refuseUnsetRoles(changes: readonly RoleChange[], env: NodeJS.ProcessEnv): void {
  if (unsetRoles(changes, env).length === 0) return;
  const lines = changes.map((change) => `${unsetProblem(change)}; ${unsetSolution(change)}`);
  throw new CommandError(lines.join('\n'));
}

function unsetProblem({ path, before }: RoleChange): string {
  return `${path}: the files grant privileges to the role "${before}", but CDC_DB_USER is not set`;
}

function unsetSolution({ before }: RoleChange): string {
  return `set it to ${before} wherever files are generated, or to ${DEFAULT_ROLE} to grant the privileges to it instead`;
}

function problemOf(role: string): string | undefined {
  if (role.trim() === '') return 'is empty';
  if (/\p{Cc}/u.test(role)) return 'is not one line of text';
  if (characterProblem(role) !== undefined) return 'has invisible characters';
  if (role === 'public' || role === 'none')
    return `is ${role}, which cannot be a role in PostgreSQL`;
  if (role.includes('{{')) return 'contains {{, which stands for schemas in the SQL';
  const bytes = Buffer.byteLength(role);
  if (bytes > MAX_NAME_BYTES)
    return `has ${bytes} bytes, but the name of a role can have at most ${MAX_NAME_BYTES}`;
  return undefined;
}
