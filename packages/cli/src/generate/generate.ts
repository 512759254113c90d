import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatProblem } from '@cdc-migrations/config';
import { CommandError, EXIT } from '../exit-code.ts';
import { findRoot } from '../find-root.ts';
import { locateError } from '../locate-error.ts';
import type { Stage } from './stage.ts';
import { narrow } from './narrow.ts';
import { planFiles, type FileAction, type FileStep } from './plan-files.ts';
import { BUILD_STAGE, buildAll, type Output } from './stages.ts';
import { writeFiles } from './write-files.ts';

export interface GenerateOptions {
  readonly root?: string;
  readonly service?: readonly string[];
  readonly table?: readonly string[];
  readonly only?: Stage;
  readonly dryRun?: boolean;
  readonly check?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Folder in which the original tool kept what is in migrations/ now. */
const ABANDONED_FOLDER = 'generated/pg-migrations';

const MAX_NAME_BYTES = 63;

/**
 * Brings the generated files of an implementation repo up to date and returns the exit code.
 *
 * @throws ConfigError, SnapshotError, CommandError before anything is written.
 */
export function generate(options: GenerateOptions): number {
  const root = findRoot(options.root);
  const role = readRole(process.env);
  const built = build(root, role, options);
  const output = narrow(root, built, options);
  const steps = planFiles(root, output.files, output.owned).filter(({ path }) => !isManual(path));
  const warnings = output.warnings.map(formatProblem);
  const writes = !options.check && !options.dryRun;
  const edited = options.force && writes ? [] : steps.filter(isInTheWay);
  if (writes && edited.length === 0) {
    writeFiles(
      root,
      steps.filter((step) => step.text !== undefined || isRemoved(step, options)),
    );
    if (!options.only) removeAbandoned(root, warnings);
  }
  report(steps, { warnings, edited, json: options.json ?? false });
  if (edited.length > 0) return EXIT.edited;
  const differs = steps.some(({ action }) => action !== 'keep' && action !== 'foreign');
  return options.check && differs ? EXIT.differences : EXIT.done;
}

function build(root: string, role: string, { only }: GenerateOptions): Output {
  try {
    return only ? BUILD_STAGE[only](root, role) : buildAll(root, role);
  } catch (error) {
    throw locateError(error, root);
  }
}

/** The role that SQL grants to. */
function readRole({ CDC_DB_USER: role = 'postgres' }: NodeJS.ProcessEnv): string {
   
  const fault =
    role === '' ? 'empty' : /[\u0000-\u001f]/.test(role) ? 'not one line of text' : undefined;
  if (fault)
    throw new CommandError(
      `CDC_DB_USER is ${fault}; set it to the name of a PostgreSQL role or unset it`,
    );
  if (Buffer.byteLength(role) > MAX_NAME_BYTES) {
    throw new CommandError(`CDC_DB_USER: a PostgreSQL role has at most ${MAX_NAME_BYTES} bytes`);
  }
  return role;
}

function isManual(path: string): boolean {
  return /^migrations\/(?:[^/]+\/)?manual\//.test(path);
}

/** A file that must not be lost: edited by hand, or somebody else's where one of ours is to be written. */
function isInTheWay({ action, text }: FileStep): boolean {
  return action === 'edited' || (action === 'foreign' && text !== undefined);
}

/** The folders of one stage, written by force, are outputs of a build: a cache keeps all that is left in them. */
function isRemoved({ action }: FileStep, { force, only }: GenerateOptions): boolean {
  if (action === 'foreign') return force === true && only !== undefined;
  return action === 'remove' || (action === 'edited' && force === true);
}

function removeAbandoned(root: string, warnings: string[]): void {
  if (!existsSync(join(root, ABANDONED_FOLDER))) return;
  rmSync(join(root, ABANDONED_FOLDER), { recursive: true });
  warnings.push(`${ABANDONED_FOLDER}: removed; migrations/ takes its place`);
}

const VERBS: { readonly [A in FileAction]: string } = {
  create: 'created',
  change: 'changed',
  keep: 'unchanged',
  remove: 'removed',
  edited: 'edited by hand',
  foreign: 'not generated',
};

interface Report {
  readonly warnings: readonly string[];
  readonly edited: readonly FileStep[];
  readonly json: boolean;
}

function report(steps: readonly FileStep[], { warnings, edited, json }: Report): void {
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  for (const { path, action } of edited) {
    process.stderr.write(
      action === 'edited'
        ? `${path}: this generated file was edited; move the edit to the configuration, or --force writes over it\n`
        : `${path}: a file that is not generated stands where one is to be written; move it, or --force writes over it\n`,
    );
  }
  if (json) {
    const files = steps.map(({ path, action }) => ({ path, action }));
    process.stdout.write(`${JSON.stringify({ files, warnings }, null, 2)}\n`);
    return;
  }
  for (const { path, action } of steps) {
    if (action !== 'keep' && action !== 'edited')
      process.stdout.write(`${VERBS[action]} ${path}\n`);
  }
  const counts = (Object.keys(VERBS) as FileAction[])
    .map((action) => ({ action, count: steps.filter((step) => step.action === action).length }))
    .filter(({ action, count }) => count > 0 || action === 'keep')
    .map(({ action, count }) => `${count} ${VERBS[action]}`);
  process.stdout.write(`${steps.length} files: ${counts.join(', ')}\n`);
}
