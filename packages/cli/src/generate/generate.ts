import { formatProblem } from '@cdc-migrations/config';
import { FileError } from '@cdc-migrations/shape';
import {
  DEFINITIONS_FOLDER,
  diffTables,
  parseDefinition,
  parseManifest,
  type MigrationSet,
  type TableDefinition,
} from '@cdc-migrations/table-defs';
import { listRefreshWarnings, listSuggestions } from '../diff/list-warnings.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../repo/find-root.ts';
import { locateError } from '../repo/locate-error.ts';
import { isInTheWay, planFiles, type FileStep } from '../repo/plan-files.ts';
import { readRole, refuseUnsetRoles, type RoleChange } from '../repo/read-role.ts';
import { readCommitted, readSnapshots } from '../repo/read-outputs.ts';
import { readIfThere } from '../repo/repo-files.ts';
import { reportFiles, type Outcome } from '../repo/report-files.ts';
import { writeFiles } from '../repo/write-files.ts';
import { ABANDONED_FOLDER, planAbandoned } from './abandoned-folder.ts';
import type { GenerateOptions } from './generate-options.ts';
import { readRepoState, type LastRun } from './last-run.ts';
import { narrow } from './narrow.ts';
import { BUILD_STAGE, buildAll, type Output } from './stages.ts';

/**
 * Updates the generated files of an implementation repo and returns the exit code. Writes all of them or none.
 *
 * @throws ConfigError, FileError, CommandError before anything is written
 */
export function generate(options: GenerateOptions): number {
  const root = findRoot(options.root);
  const state = readRepoState(root, () => readRole(process.env), options);
  if (state?.lastRun) return reportUnchanged(state.lastRun, options);
  const output = narrow(root, build(root, options), options);
  const steps = [...planFiles(root, output, options), ...planAbandoned(root, options)];
  const roleChanges = listRoleChanges(root, steps);
  // The result of a stage, which Nx caches, depends only on its inputs.
  if (!options.only) refuseUnsetRoles(roleChanges, process.env);
  const warnings = [
    ...output.warnings.map(formatProblem),
    ...unknownFileWarnings(steps, output.sets),
    ...roleChanges.map(describeRoleChange),
  ];
  const suggestions = suggestionsOf(root, steps);
  const ofRefresh = options.refresh ? refreshWarnings(root, output) : [];
  const refused = steps.filter(isInTheWay);
  const mode: Outcome['mode'] = options.check ? 'check' : options.dryRun ? 'dry-run' : 'write';
  const written = mode === 'write' && refused.length === 0;
  if (written) {
    writeFiles(root, steps);
    state?.keep(steps, warnings);
  }
  const all = [...warnings, ...ofRefresh, ...suggestions];
  const outcome = { mode, steps, refused, written, warnings: all };
  const exitCode = exitCodeOf(outcome);
  reportFiles({ ...outcome, exitCode }, options.json ?? false);
  return exitCode;
}

/** Reports the result of the last run again, because nothing has changed. */
function reportUnchanged({ steps, warnings }: LastRun, { dryRun, json }: GenerateOptions): number {
  const mode = dryRun ? 'dry-run' : 'write';
  const outcome = { mode, steps, refused: [], written: !dryRun, warnings } as const;
  reportFiles({ ...outcome, exitCode: EXIT.done }, json ?? false);
  return EXIT.done;
}

/** Suggests what to do with the new columns of changed definitions. */
function suggestionsOf(root: string, steps: readonly FileStep[]): readonly string[] {
  const isDefinition = ({ action, path }: FileStep) =>
    action === 'change' && path.startsWith(`${DEFINITIONS_FOLDER}/`);
  const changes = steps.filter(isDefinition).flatMap(({ path, text = '' }) => {
    const before = definitionIn(readIfThere(root, path) ?? '', path);
    const after = definitionIn(text, path);
    return before && after ? diffTables([before], [after]) : [];
  });
  return listSuggestions(changes, () => readSnapshots(root));
}

/** Returns undefined for a definition of another version or a damaged one. It is written again. */
function definitionIn(text: string, path: string): TableDefinition | undefined {
  try {
    return parseDefinition(text, path);
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

/** Returns warnings about what a refresh has changed in the definitions. None if those before it cannot be read. */
function refreshWarnings(root: string, { tables }: Output): readonly string[] {
  try {
    const before = readCommitted(root);
    return before.length === 0 ? [] : listRefreshWarnings(diffTables(before, tables));
  } catch (error) {
    if (error instanceof FileError || error instanceof CommandError) return [];
    throw error;
  }
}

/** Lists manifests on disk whose files grant to another role, which makes all of them stale. */
export function listRoleChanges(root: string, steps: readonly FileStep[]): readonly RoleChange[] {
  return steps.flatMap(({ path, action, text }) => {
    if (action !== 'change' || text === undefined || !path.endsWith('/manifest.yaml')) return [];
    const [before, after] = [readIfThere(root, path) ?? '', text].map((one) => roleIn(one, path));
    if (before === undefined || after === undefined || before === after) return [];
    return { path, before, after };
  });
}

function describeRoleChange({ path, before, after }: RoleChange): string {
  return `${path}: the files grant privileges to the role "${before}" and would now grant them to "${after}"; set CDC_DB_USER to the same role wherever files are generated`;
}

/** Returns undefined for a manifest of another version or a damaged one. It is written again. */
function roleIn(manifest: string, path: string): string | undefined {
  try {
    return parseManifest(manifest, path).role;
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}

function build(root: string, { only }: GenerateOptions): Output {
  const role = () => readRole(process.env);
  try {
    return only ? BUILD_STAGE[only](root, role) : buildAll(root, role);
  } catch (error) {
    throw locateError(error, root);
  }
}

function exitCodeOf({ mode, steps, refused }: Omit<Outcome, 'exitCode'>): number {
  if (refused.length > 0) return EXIT.edited;
  const differs = steps.some(({ action }) => action !== 'keep' && action !== 'extra');
  return mode === 'check' && differs ? EXIT.differences : EXIT.done;
}

/** Returns a warning for each SQL file in a place where apply does not run it, and for what stays in an old folder. */
function unknownFileWarnings(
  steps: readonly FileStep[],
  sets: readonly MigrationSet[],
): readonly string[] {
  const right = sets.map(({ folder }) => `${folder}/manual/`).join(' or ');
  return steps
    .filter(
      ({ action, path }) =>
        action === 'extra' && (path.endsWith('.sql') || path.startsWith(`${ABANDONED_FOLDER}/`)),
    )
    .map(({ path }) =>
      path.endsWith('.sql')
        ? `${path}: not in a manifest, so it is never applied; hand-written SQL belongs in ${right}`
        : `${path}: without the header of the original tool, so it is kept; move it`,
    );
}
