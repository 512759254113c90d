import { basename, relative, resolve, sep } from 'node:path';
import { tenantNameFault } from '@cdc-migrations/config';
import { letterFault } from '@cdc-migrations/generated-file';
import { CommandError, EXIT } from '../exit-code.ts';
import { writeFiles } from '../repo/write-files.ts';
import { buildScaffold } from './build-scaffold.ts';
import { findWorkspace, readProjectName } from './find-workspace.ts';
import { nextSteps } from './next-steps.ts';
import { planScaffold, type ScaffoldStep } from './plan-scaffold.ts';
import type { ScaffoldOptions } from './scaffold-options.ts';
import { print, printJson } from '../print.ts';

/** Options of `cdc init`, as people give them. */
export interface InitOptions extends Pick<ScaffoldOptions, 'pattern' | 'ci'> {
  readonly folder: string;
  readonly name?: string;
  readonly service?: string;
  readonly type?: ScaffoldOptions['type'];
  /** Without it, as the workspace has our plugin. */
  readonly nx?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/**
 * Makes a new implementation repo and returns the exit code. A file that is there is never written over.
 *
 * @throws CommandError before anything is written.
 */
export function init(given: InitOptions): number {
  const { root, options } = resolveOptions(given);
  const steps = planScaffold(root, buildScaffold(options));
  if (!given.dryRun) writeFiles(root, steps);
  const next = nextSteps(options);
  if (given.json) printJson({ exitCode: EXIT.done, workspace: root, files: steps, next });
  else print(renderText(steps, next, given));
  return EXIT.done;
}

function resolveOptions(given: InitOptions): { root: string; options: ScaffoldOptions } {
  const folder = resolve(given.folder);
  const workspace = findWorkspace(folder);
  const name = given.name ?? nameOf(folder);
  const service = given.service ?? name;
  const faults = [
    nameFault('--name', name),
    given.service === undefined ? undefined : nameFault('--service', service),
    folderFault(relative(workspace.root, folder)),
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) throw new CommandError(faults.join('\n'));
  return {
    root: workspace.root,
    options: {
      name,
      service,
      pattern: given.pattern,
      type: given.type ?? (given.pattern === 'db-per-tenant' ? 'mssql' : 'postgres'),
      folder: relative(workspace.root, folder).split(sep).join('/') || '.',
      ci: given.ci,
      nx: given.nx ?? workspace.nx,
      packageManager: workspace.packageManager,
      project: readProjectName(folder) ?? name,
    },
  };
}

/** The name that a folder suggests: `My repo` is `my_repo`. */
function nameOf(folder: string): string {
  return basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

/** Why CI cannot be told to work in this folder. */
function folderFault(folder: string): string | undefined {
  const fault = letterFault(folder, 'choose another folder');
  if (fault !== undefined) return fault;
  const found = ['${{', '\\'].find((text) => folder.split(sep).join('/').includes(text));
  return (
    found && `${folder}: has ${found}, which means something else in CI; choose another folder`
  );
}

const WORDS_OF_YAML = /^(true|false|null|yes|no|on|off|y|n)$/i;

/** Why names in YAML, SQL and of variables cannot be made of this one. */
function nameFault(option: string, name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(name) || WORDS_OF_YAML.test(name)) {
    const expected = 'expected a letter, then letters, digits and _, up to 40 of them';
    return `${option} "${name}": ${expected}; name it with ${option}`;
  }
  const fault = tenantNameFault(name);
  return fault === undefined ? undefined : `${option}: ${fault}`;
}

function renderText(
  steps: readonly ScaffoldStep[],
  next: readonly string[],
  { dryRun = false }: InitOptions,
): readonly string[] {
  const words = dryRun
    ? { create: 'would create', change: 'would change', keep: 'would keep' }
    : { create: 'created', change: 'changed', keep: 'kept' };
  const lines = steps.map(({ path, action }) => `${words[action]} ${path}`);
  const numbered = next.map((step, index) => `${index + 1}. ${step}`);
  return [...lines, '', 'Next:', ...numbered];
}
